import { createHash } from 'node:crypto';
import type { SimConfig } from './config';

/** Whether a login may use this client secret or refresh token. */
export function accepts({ secrets }: SimConfig, secret: string): boolean {
  return secret !== '' && (secrets === null || secrets.includes(secret));
}

/** The token a login hands out: the same for the same credentials until it expires, as `config.tokens` has it. */
export function tokenFor({ tokens }: SimConfig, prefix: string, ...credentials: readonly string[]): string {
  return tokens?.[0] ?? prefix + createHash('sha256').update(credentials.join(' ')).digest('hex').slice(0, 32);
}

/** Fields of a body sent as a form. */
export function formIn(body: unknown): Readonly<Record<string, string | undefined>> {
  return (body ?? {}) as Record<string, string | undefined>;
}
