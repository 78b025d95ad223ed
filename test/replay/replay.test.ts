import { historyFromJSON } from '@temporalio/common/lib/proto-utils';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import * as workflows from '../../workflows';
import { workflowBundle } from '../../workers/bundle';
import { budgetHistory, scenarios } from './scenarios';
import { tableScenarios } from './table-scenarios';

const folder = path.join(__dirname, 'histories');
const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
const read = (name: string): any => JSON.parse(readFileSync(path.join(folder, name), 'utf8'));

let bundle: { code: string };
beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter: 'OFF', forward: {} } } });
  bundle = await workflowBundle();
});

/** Throws on any difference between the history and what today's code would do. */
const replay = (history: unknown) => Worker.runReplayHistory({ workflowBundle: bundle, replayName: 'test' }, historyFromJSON(history));

test('every scenario has a history', () => {
  expect(files.map((name) => name.replace('.json', '')).sort()).toEqual(
    [...scenarios.map(({ name }) => name), ...tableScenarios.map(({ name }) => name), budgetHistory].sort(),
  );
});

test('every workflow has a history', () => {
  const recorded = new Set(files.map((name) => read(name).events[0].workflowExecutionStartedEventAttributes.workflowType.name));
  expect([...recorded].sort()).toEqual(Object.keys(workflows).sort());
});

test.each(files)('%s replays', async (name) => {
  await replay(read(name));
});

describe('a history that today’s code would not make fails to replay', () => {
  test('another activity was scheduled', async () => {
    const history = read('retried-then-accepted.json');
    const scheduled = history.events.find((event: any) => event.activityTaskScheduledEventAttributes);
    scheduled.activityTaskScheduledEventAttributes.activityType.name = 'deliverTwice';
    await expect(replay(history)).rejects.toThrow(/nondeterminism|deliverTwice/i);
  });

  test('a budget did not answer an update it answers today', async () => {
    const history = read(`${budgetHistory}.json`);
    const index = history.events.findIndex((event: any) => event.workflowExecutionUpdateCompletedEventAttributes);
    history.events[index] = {
      ...history.events[index],
      eventType: 'EVENT_TYPE_MARKER_RECORDED',
      markerRecordedEventAttributes: { markerName: 'unknown', workflowTaskCompletedEventId: '4' },
    };
    delete history.events[index].workflowExecutionUpdateCompletedEventAttributes;
    await expect(replay(history)).rejects.toThrow();
  });

  test('a timer is missing', async () => {
    const history = read('held-by-breaker-then-accepted.json');
    const index = history.events.findIndex((event: any) => event.timerStartedEventAttributes);
    history.events[index].eventType = 'EVENT_TYPE_MARKER_RECORDED';
    history.events[index].markerRecordedEventAttributes = { markerName: 'unknown', workflowTaskCompletedEventId: '4' };
    delete history.events[index].timerStartedEventAttributes;
    await expect(replay(history)).rejects.toThrow();
  });
});
