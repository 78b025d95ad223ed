import type { Json } from '../schemas/json';
import { UnreadableDelivery, type RawRequest } from './webhook';

export type JsonObject = { [key: string]: Json };

/** Joins the parts of an event id. `~` is left alone by percent-encoding, so that ids stay readable in a workflow id. */
export function joinId(...parts: (string | number)[]): string {
  return parts.join('~');
}

/** A header's value; undefined when absent or empty. */
export function headerOf(request: RawRequest, name: string): string | undefined {
  const value: unknown = request.headers[name]; // `unknown`: a name such as `constructor` finds what isn't text
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A header the events can't be told without. */
export function requiredHeader(source: string, request: RawRequest, name: string): string {
  const value = headerOf(request, name);
  if (value === undefined) throw new UnreadableDelivery(`${source}: expected a header ${name}, got none`);
  return value;
}

/** The value as an object. `where` names it in the message, e.g. `body`. */
export function objectAt(source: string, where: string, value: Json | undefined): JsonObject {
  if (isObject(value)) return value;
  throw unreadable(source, where, 'an object', value);
}

/** A field of type text. */
export function textAt(source: string, object: JsonObject, field: string): string {
  const value = fieldOf(object, field);
  if (typeof value === 'string' && value !== '') return value;
  throw unreadable(source, field, 'text', value);
}

/** Follows a path such as `data.0.id`; undefined where it ends early. Own properties only. */
export function valueAt(body: Json, path: string): Json | undefined {
  return path.split('.').reduce<Json | undefined>((value, field) => fieldOf(value, field), body);
}

/** Error that says what, where and what was expected, and never a value: it is logged and sent back. */
export function unreadable(source: string, where: string, expected: string, got: Json | undefined): UnreadableDelivery {
  return new UnreadableDelivery(`${source}: expected ${expected} at ${where}, got ${kindOf(got)}`);
}

const ISO_WITH_ZONE = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/;

/** Milliseconds of an ISO 8601 time; null for anything else. A time without a zone is nobody's time, so null too. */
export function isoTime(value: Json | undefined): number | null {
  if (typeof value !== 'string' || !ISO_WITH_ZONE.test(value)) return null;
  const time = Date.parse(value);
  return Number.isNaN(time) ? null : time;
}

/** Milliseconds of a Unix time, whole or not; null for anything that is no time (also one past the year 275760). */
export function unixTime(value: Json | undefined, unitMs: number): number | null {
  if (typeof value !== 'number' || value < 0) return null;
  const time = Math.round(value * unitMs);
  return time <= 8.64e15 ? time : null;
}

function fieldOf(value: Json | undefined, field: string): Json | undefined {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, field)) return undefined;
  return (value as JsonObject)[field];
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function kindOf(value: Json | undefined): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (value === '') return 'empty text';
  if (Array.isArray(value)) return 'an array';
  return { string: 'text', number: 'a number', boolean: 'true or false', object: 'an object' }[typeof value as 'string'];
}
