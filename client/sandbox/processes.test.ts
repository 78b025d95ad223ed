import { createSupervisor, parseReady, type Stoppable } from './processes';

test.each([
  ['{"ready":true,"port":8080}', { ready: true, port: 8080 }],
  ['{"level":30,"ready":true,"msg":"a log line"}', undefined],
  ['{"ready":false}', undefined],
  ['{"ready":true', undefined],
  ['ready', undefined],
])('ready line: %s', (line, expected) => {
  expect(parseReady(line)).toEqual(expected);
});

function recorder(): { order: string[]; stoppable(name: string): Stoppable } {
  const order: string[] = [];
  const note = (what: string) => () => {
    order.push(what);
    return Promise.resolve();
  };
  return { order, stoppable: (name) => ({ name, stop: note(`stop ${name}`), kill: note(`kill ${name}`) }) };
}

test('what was started last is stopped first, and once', async () => {
  const { order, stoppable } = recorder();
  const supervisor = createSupervisor();
  supervisor.add(stoppable('database'));
  supervisor.add(stoppable('worker'));
  await supervisor.stopAll();
  await supervisor.stopAll();
  expect(order).toEqual(['stop worker', 'stop database']);
});

test('what is started while stopping is killed', async () => {
  const { order, stoppable } = recorder();
  const supervisor = createSupervisor();
  await supervisor.stopAll();
  supervisor.add(stoppable('latecomer'));
  expect(order).toEqual(['kill latecomer']);
});
