import { DuckDBTypeId, type DuckDBType, type Json as DuckDBJson } from '@duckdb/node-api';
import type { Json } from '../../schemas/json';
import { wholeNumber } from '../whole-number';

const wholes = new Set<DuckDBTypeId>([DuckDBTypeId.BIGINT, DuckDBTypeId.UBIGINT, DuckDBTypeId.HUGEINT, DuckDBTypeId.UHUGEINT]);
const zoned = /\+00(?::00)?$/;

/** How a column's values come: as from PostgreSQL. `value` is what DuckDB's client makes of it for JSON. */
export function valueReader(type: DuckDBType): (value: DuckDBJson) => Json {
  if (wholes.has(type.typeId)) return (value) => (typeof value === 'string' ? wholeNumber(value) : value);
  switch (type.typeId) {
    case DuckDBTypeId.TIMESTAMP:
    case DuckDBTypeId.TIMESTAMP_S:
    case DuckDBTypeId.TIMESTAMP_MS:
    case DuckDBTypeId.TIMESTAMP_NS:
      return (value) => (typeof value === 'string' ? value.replace(' ', 'T') : value);
    case DuckDBTypeId.TIMESTAMP_TZ:
      return (value) => (typeof value === 'string' ? value.replace(' ', 'T').replace(zoned, 'Z') : value);
    case DuckDBTypeId.VARCHAR:
      return type.alias === 'JSON' ? (value) => (typeof value === 'string' ? (JSON.parse(value) as Json) : value) : (value) => value;
    default:
      return (value) => value;
  }
}
