import { types } from 'pg';
import type { Json } from '../../schemas/json';
import { wholeNumber } from '../whole-number';

const oid = { bool: 16, int8: 20, int2: 21, int4: 23, json: 114, float4: 700, float8: 701, timestamp: 1114, timestamptz: 1184, jsonb: 3802 } as const;

/** What is no number in JSON without loss stays text: decimals, large integers, dates. */
const parsers: Record<number, (text: string) => Json> = {
  [oid.bool]: (text) => text === 't',
  [oid.int2]: Number,
  [oid.int4]: Number,
  [oid.int8]: wholeNumber,
  [oid.float4]: floating,
  [oid.float8]: floating,
  [oid.json]: (text) => JSON.parse(text) as Json,
  [oid.jsonb]: (text) => JSON.parse(text) as Json,
  [oid.timestamp]: (text) => text.replace(' ', 'T'),
  [oid.timestamptz]: (text) => text.replace(' ', 'T').replace(/\+00$/, 'Z'),
};

/** JSON has no NaN and no infinity: they stay words. */
function floating(text: string): Json {
  const value = Number(text);
  return Number.isFinite(value) ? value : text;
}

const asItIs = (text: string): string => text;

/** For `pg`: the parser of a type. Arrays of text, numbers and booleans come as arrays, everything unknown as PostgreSQL writes it. */
export const valueTypes = {
  getTypeParser(type: number): (text: string) => unknown {
    if (parsers[type]) return parsers[type];
    return arrays.has(type) ? (types.getTypeParser(type) as (text: string) => unknown) : asItIs;
  },
};

/** bool[], int2[], int4[], text[], varchar[], float4[], float8[], uuid[] */
const arrays = new Set([1000, 1005, 1007, 1009, 1015, 1021, 1022, 2951]);
