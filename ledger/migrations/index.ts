import { sql as inbox } from './0001-inbox.sql';
import { sql as fence } from './0002-fence.sql';

/** One step of the schema. Never edited once released: add the next number instead. */
export interface Migration {
  name: string;
  sql: string;
}

// SQL in string modules: found alike from sources, from dist and from a bundle, with no files to copy.
export const migrations: readonly Migration[] = [
  { name: '0001-inbox', sql: inbox },
  { name: '0002-fence', sql: fence },
];
