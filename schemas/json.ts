/** Anything JSON can carry: the only kind of value that crosses a workflow boundary here. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
