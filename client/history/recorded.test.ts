import { loadDataConverter } from '@temporalio/common/lib/internal-non-workflow';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { decodeHistory } from './decode';
import { readRun } from './read-run';
import type { RunTrace, Step } from './steps';

const folder = path.join(__dirname, '..', '..', 'test', 'replay', 'histories');
// The runs of records; a budget and a run of rows have no record to tell of.
const files = readdirSync(folder).filter((name) => name.endsWith('.json') && name !== 'vendor-budget.json' && !/^(table|tick)-/.test(name));

async function traceOf(file: string): Promise<RunTrace> {
  const history = historyFromJSON(JSON.parse(readFileSync(path.join(folder, file), 'utf8')));
  return readRun({ workflowId: 'w', runId: 'r' }, await decodeHistory(history, loadDataConverter({})));
}

const told = (steps: readonly Step[]): string[] =>
  steps.map((step) => {
    if (step.kind === 'attempt') return `attempt ${step.attempt.number}`;
    if (step.kind === 'activity') return `${step.name} ${step.state}`;
    return step.kind === 'ended' ? step.outcome.outcome : step.kind;
  });

test.each(files)('%s, recorded on a real server, is read to its end', async (file) => {
  const trace = await traceOf(file);
  expect(trace.plan).not.toBeNull();
  expect(trace.closedAt).not.toBeNull();
  expect(trace.outcome !== null || trace.status === 'cancelled').toBe(true);
  // Every attempt of the outcome is told, and told once.
  const attempts = trace.steps.filter((step) => step.kind === 'attempt').map((step) => step.attempt.number);
  expect(attempts).toEqual(trace.outcome?.attempts.map(({ number }) => number) ?? attempts);
  const times = trace.steps.filter((step) => step.kind !== 'attempt').map((step) => step.at);
  expect(times.every((at) => at > 0)).toBe(true);
});

test.each([
  ['accepted-on-fast-path', ['received', 'started', 'mapped', 'attempt 1', 'accepted']],
  ['retried-then-accepted', ['received', 'started', 'mapped', 'attempt 1', 'waited', 'attempt 2', 'attempt 3', 'accepted']],
  ['attempts-used-up', ['received', 'started', 'mapped', 'attempt 1', 'waited', 'attempt 2', 'recordOutcome done', 'failed']],
  ['held-by-breaker-then-accepted', ['received', 'started', 'mapped', 'attempt 1', 'held', 'waited', 'accepted']],
  ['enrichment-fell-back', ['received', 'started', 'enriched', 'mapped', 'attempt 1', 'accepted']],
  ['invalid', ['received', 'started', 'invalid', 'recordOutcome done', 'invalid']],
  ['cancelled', ['received', 'started', 'mapped', 'held', 'waited', 'operator', 'recordOutcome done', 'closed']],
  ['carried-over-continue-as-new', ['started', 'attempt 1', 'mapped', 'accepted']],
  ['replay-lane', ['started', 'mapped', 'attempt 1', 'accepted']],
])('%s: its steps', async (name, steps) => {
  expect(told((await traceOf(`${name}.json`)).steps)).toEqual(steps);
});
