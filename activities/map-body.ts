import { maskText } from '../connectors/mask';
import type { Operation } from '../connectors/connector';
import { violations, type Contract, type Violation } from '../schemas/contract';
import { Skip } from '../syncs/define-sync';

/** What an operation wants of a single record. */
export type RecordRules = Pick<Operation<unknown>, 'name' | 'input' | 'key' | 'maxBatchBytes'>;

/** What a contract and a mapping made of a body. */
export type Mapped =
  /** `size`: bytes of JSON. */
  | { kind: 'ready'; key: string; input: unknown; size: number }
  | { kind: 'skipped'; reason: string }
  | { kind: 'invalid'; code: string; cause: string; violations: Violation[] }
  /** The mapping itself threw: our fault, not the source's. */
  | { kind: 'failed'; code: string; cause: string };

/** Validates, maps, and validates what came out: everything that is decided before a vendor is asked. */
export function mapBody(syncId: string, contract: Contract, operation: RecordRules, map: (body: unknown) => unknown, body: unknown): Mapped {
  const parsed = contract.schema.safeParse(body);
  if (!parsed.success) {
    const found = violations(parsed.error, body);
    const cause = found.map((one) => `${one.field || '(body)'}: expected ${one.expected}, found ${one.found}`).join('; ');
    return { kind: 'invalid', code: 'CONTRACT_VIOLATION', cause, violations: found };
  }
  let mapped: unknown;
  try {
    mapped = map(parsed.data);
  } catch (error) {
    return { kind: 'failed', code: 'MAPPING_ERROR', cause: maskText(`the mapping of ${syncId} threw ${String(error)}`) };
  }
  if (mapped instanceof Skip) return { kind: 'skipped', reason: mapped.reason };
  return checkInput(operation, mapped);
}

/** The operation's own rules: its schema, and the size of a record. */
export function checkInput(operation: RecordRules, mapped: unknown): Mapped {
  const checked = operation.input.safeParse(mapped);
  if (!checked.success) {
    const found = violations(checked.error, mapped);
    const cause = found.map((one) => `${operation.name} ${one.field}: expected ${one.expected}, mapped to ${one.found}`).join('; ');
    return { kind: 'invalid', code: 'TARGET_VIOLATION', cause, violations: found };
  }
  const size = Buffer.byteLength(JSON.stringify(checked.data));
  if (size > operation.maxBatchBytes) {
    const cause = `the mapped record has ${size} bytes; ${operation.name} takes at most ${operation.maxBatchBytes}`;
    return { kind: 'invalid', code: 'RECORD_TOO_LARGE', cause, violations: [] };
  }
  return { kind: 'ready', key: operation.key(checked.data), input: checked.data, size };
}
