import { execFileSync } from 'node:child_process';
import path from 'node:path';

const linter = path.join(__dirname, 'lint-planted.mjs');
const restrictedPath = 'import-x/no-restricted-paths';
const restrictedImport = '@typescript-eslint/no-restricted-imports';

const forbidden: [file: string, code: string, rule: string][] = [
  ['workflows/record-sync.ts', "import { z } from 'zod'; void z;", restrictedImport],
  ['workflows/record-sync.ts', "import { createActivities } from '../activities'; void createActivities;", restrictedImport],
  ['workflows/record-sync.ts', "import { readFileSync } from 'node:fs'; void readFileSync;", restrictedImport],
  ['workflows/budget/breaker.ts', "import { lanes } from '../../schemas/plan'; void lanes;", restrictedImport],
  ['activities/deliver.ts', "import axios from 'axios'; void axios;", restrictedImport],
  ['connectors/hubspot/index.ts', "import axios from 'axios'; void axios;", restrictedImport],
  ['activities/deliver.ts', "import { Starter } from '../workers/starter'; void Starter;", restrictedPath],
  ['activities/deliver.ts', "import { createCodec } from '../platform/codec'; void createCodec;", restrictedPath],
  ['connectors/hubspot/index.ts', "import { syncs } from '../../syncs'; void syncs;", restrictedPath],
  ['connectors/hubspot/index.ts', "import { leadscore } from '../leadscore'; void leadscore;", restrictedPath],
  ['schemas/plan.ts', "import { createLedger } from '../ledger'; void createLedger;", restrictedPath],
  ['ledger/inbox.ts', "import { startWorker } from '../workers/worker'; void startWorker;", restrictedPath],
  ['client/receive.ts', "import { startWorker } from '../workers/worker'; void startWorker;", restrictedPath],
  ['client/receive.ts', "import { createVendorHttp } from '../connectors/http'; void createVendorHttp;", restrictedPath],
  ['workers/worker.ts', "import { createReceiver } from '../client/receive'; void createReceiver;", restrictedPath],
];

const allowed: [file: string, code: string][] = [
  ['workflows/record-sync.ts', "import type { Activities } from '../activities'; export type A = Activities;"],
  ['workflows/record-sync.ts', "import { sleep } from '@temporalio/workflow'; void sleep;"],
  ['activities/deliver.ts', "import { vendorTaskQueue } from '../workflows/ids'; void vendorTaskQueue;"],
  ['client/receive.ts', "import { shopify } from '../connectors/shopify/webhooks'; void shopify;"],
  ['connectors/http.ts', "import axios from 'axios'; void axios;"],
];

describe('import rules', () => {
  let verdicts: string[][];

  beforeAll(() => {
    const planted = [...forbidden, ...allowed].map(([file, code]) => ({ file, code }));
    verdicts = JSON.parse(execFileSync(process.execPath, [linter], { input: JSON.stringify(planted), encoding: 'utf8' }));
  }, 60_000);

  test.each(forbidden.map((one, index) => [...one, index] as const))('%s may not: %s', (_file, _code, rule, index) => {
    expect(verdicts[index]).toContain(rule);
  });

  test.each(allowed.map((one, index) => [...one, index + forbidden.length] as const))('%s may: %s', (_file, _code, index) => {
    expect(verdicts[index]).toEqual([]);
  });
});
