import { createHash } from 'node:crypto';
import type { Sha256Hex } from '../workflows/ids';

/** Lower-case hex SHA-256 of a UTF-8 string. */
export const sha256Hex: Sha256Hex = (text) => createHash('sha256').update(text, 'utf8').digest('hex');
