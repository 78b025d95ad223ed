import { createLog } from './logging';

function logged(work: (log: ReturnType<typeof createLog>) => void): Record<string, unknown>[] {
  const lines: string[] = [];
  work(createLog({ name: 'test', level: 'info', destination: { write: (line) => void lines.push(line) } }));
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

test('JSON lines with level, time and component', () => {
  const [line] = logged((log) => log.child({ component: 'gateway' }).info({ syncId: 'a' }, 'hello'));
  expect(line).toMatchObject({ level: 'info', name: 'test', component: 'gateway', syncId: 'a', msg: 'hello' });
  expect(line?.['time']).toMatch(/^\d{4}-\d\d-\d\dT/);
});

test('secrets and personal data are redacted where they turn up', () => {
  const [line] = logged((log) =>
    log.info({
      body: { email: 'ada@example.com' },
      request: { headers: { a: 'ada' } },
      a: { b: { token: 'ada' } },
      secret: 'ada',
    }),
  );
  expect(JSON.stringify(line)).not.toContain('ada');
});

test('of an error only type, message, code, stack and cause', () => {
  const cause = Object.assign(new TypeError('why'), { detail: 'Key (email)=(ada@example.com) exists' });
  const error = Object.assign(new Error('what', { cause }), {
    code: '23505',
    detail: 'ada@example.com',
    config: { x: 'ada@' },
  });
  const [line] = logged((log) => log.error({ err: error }, 'failed'));
  expect(line?.['err']).toMatchObject({
    type: 'Error',
    message: 'what',
    code: '23505',
    cause: { type: 'TypeError', message: 'why' },
  });
  expect(JSON.stringify(line)).not.toContain('ada@');
});

test('a database error that quotes the value is withheld', () => {
  const error = Object.assign(new Error('invalid input syntax for type bigint: "ada@example.com"'), { code: '22P02' });
  const [line] = logged((log) => log.error({ err: error }, 'failed'));
  expect(line?.['err']).toMatchObject({ code: '22P02' });
  expect(JSON.stringify(line)).not.toContain('ada@');
});
