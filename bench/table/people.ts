/** A row of the bench's source. */
export interface Person {
  id: number;
  email: string;
  name: string;
  visits: number;
}

/** What every side makes of a row. */
export function contactOf({ email, name, visits }: Person): { email: string; properties: Record<string, string> } {
  return { email, properties: { firstname: name, numemployees: String(visits) } };
}

/** The source: a table with a primary key. Its schema is said: a role named like ours (the sandbox’s) would find our schema first. */
export const createPeople = (rows: number, prefix: string): string[] => [
  'drop table if exists public.people',
  'create table public.people (id integer primary key, email text not null, name text not null, visits integer not null)',
  `insert into public.people select i, '${prefix}' || i || '@example.com', 'Person ' || i, i % 7 from generate_series(1, ${rows}) as t(i)`,
  'analyze public.people',
];
