import { continueAsNew, proxyActivities } from '@temporalio/workflow';

const { call } = proxyActivities<{ call(): Promise<void> }>({ startToCloseTimeout: '30s', retry: { maximumAttempts: 1 } });

/** An endless backlog: always so many activities in the queue. */
export async function endless(width: number): Promise<void> {
  const one = async (): Promise<void> => {
    for (let count = 0; count < 20; count++) await call().catch(() => undefined);
  };
  await Promise.all(Array.from({ length: width }, one));
  await continueAsNew<typeof endless>(width);
}
