import { jobName, readJobName, readRefusal, refusedJobName } from './job-name';

test('a name tells the request and how many were handed over', () => {
  const job = { requestId: '126365e1-16d0-4c81-9de9-f362711e250a', members: 10_000 };
  expect(readJobName(jobName(job))).toEqual(job);
  expect(readJobName(jobName({ requestId: 'a.b.7', members: 3 }))).toEqual({ requestId: 'a.b.7', members: 3 });
});

test.each(['126365e1-16d0-4c81-9de9-f362711e250a', 'r-1.', 'r-1.x', '.5', 'r-1.123456', ''])('%p is a plain request id', (name) => {
  expect(readJobName(name)).toEqual({ requestId: name });
});

test('a refusal has a name that no request has', () => {
  for (const refusal of [{ reason: 'NOT_FOUND' }, { reason: 'INVALID_NUMBER_FORMAT', field: 'destinations[0].login_account.account_id' }])
    expect(readRefusal(refusedJobName(refusal))).toEqual(refusal);
  for (const name of ['126365e1-16d0-4c81-9de9-f362711e250a.100', 'refused', 'refused.7', 'refused.', '']) expect(readRefusal(name)).toBeUndefined();
});
