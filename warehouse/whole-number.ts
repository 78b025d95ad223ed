import type { Json } from '../schemas/json';

/** Exact in JavaScript, or text. */
export function wholeNumber(text: string): Json {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : text;
}
