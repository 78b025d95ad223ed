import { jobName, readJobName } from './job-name';

test('a name tells the request and how many were handed over', () => {
  const job = { requestId: '126365e1-16d0-4c81-9de9-f362711e250a', members: 10_000 };
  expect(readJobName(jobName(job))).toEqual(job);
  expect(readJobName(jobName({ requestId: 'a.b.7', members: 3 }))).toEqual({ requestId: 'a.b.7', members: 3 });
});

test.each(['126365e1-16d0-4c81-9de9-f362711e250a', 'r-1.', 'r-1.x', '.5', 'r-1.123456', ''])('%p is a plain request id', (name) => {
  expect(readJobName(name)).toEqual({ requestId: name });
});
