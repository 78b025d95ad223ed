import { pino } from 'pino';
import type { TablePlan } from '../../schemas/table';
import { tellOfDrop } from './match-rate';

const plan = { syncId: 'customers-to-ads', vendor: 'google-data-manager' } as TablePlan;

function told(most: number, before: number | null): string[] {
  const messages: string[] = [];
  tellOfDrop({ log: pino({ level: 'silent' }), notify: ({ text }) => messages.push(text), now: () => 0 }, plan, { least: most, most, before });
  return messages;
}

test('a rate below four fifths of the last is told, once per run', () => {
  expect(told(0.4, 0.64)).toEqual(['customers-to-ads: google-data-manager knows 40 % of the members handed over, 64 % the time before']);
  for (const [most, before] of [
    [0.52, 0.64],
    [0.7, 0.64],
    [0.1, null],
    [0, 0],
  ] as const)
    expect(told(most, before)).toEqual([]);
});
