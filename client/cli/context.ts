import type { Client } from '@temporalio/client';
import type { Ledger } from '../../ledger/port';
import type { Sync } from '../../syncs/define-sync';
import type { TableSync } from '../../syncs/define-table-sync';
import type { ExitCode } from './cli-error';
import type { Terminal } from './terminal';

/** Temporal, as the commands use it. */
export interface TemporalAccess {
  client: Client;
  namespace: string;
  address: string;
}

/** What commands reach the world with. Everything is opened when first asked for: `--help` and `syncs` need nothing. */
export interface CliContext {
  readonly terminal: Terminal;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Rejects with exit 3 when the database does not answer, exit 2 when it is not configured. */
  ledger(): Promise<Ledger>;
  /** Rejects with exit 3 when the server does not answer. */
  temporal(): Promise<TemporalAccess>;
  /** The declared syncs, in the registry's order. */
  syncs(): readonly Sync[];
  /** The declared table syncs. */
  tableSyncs(): readonly TableSync[];
  /** HMACs under which a key (an e-mail, an external id) may stand in the ledger: every secret, every normal form. */
  keyHmacs(key: string): string[];
  /** Closes what was opened. */
  close(): Promise<void>;
}

/** What a command found: printed as text or as JSON, never both. */
export interface Answer {
  exitCode: ExitCode;
  /** The document of `--json`; undefined when the command has printed it itself. */
  document: unknown;
  /** The same for a person. */
  print(terminal: Terminal): void;
}

/** A command: parsed arguments in, answer out. Progress goes to `terminal.note`. */
export type Command<Args extends unknown[]> = (context: CliContext, ...args: Args) => Promise<Answer>;
