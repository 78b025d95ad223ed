import { GatedSlots } from './gated-slots';

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());
const context = {} as never;
const signal = () => new AbortController().signal;

test('a shut gate stops polling, and opens again by itself', async () => {
  let closedMs = 5_000;
  const slots = new GatedSlots({ slots: 2, closedForMs: () => closedMs });
  let reserved = 0;
  void slots.reserveSlot(context, signal()).then(() => reserved++);
  expect(slots.tryReserveSlot(context)).toBeNull();
  await jest.advanceTimersByTimeAsync(3_000);
  expect(reserved).toBe(0);
  closedMs = 900; // about to open: fetch the work now
  await jest.advanceTimersByTimeAsync(300);
  expect(reserved).toBe(1);
});

test('never more than its slots; a released one is taken at once', async () => {
  const slots = new GatedSlots({ slots: 2, closedForMs: () => 0 });
  await slots.reserveSlot(context, signal());
  await slots.reserveSlot(context, signal());
  let third = false;
  void slots.reserveSlot(context, signal()).then(() => (third = true));
  await jest.advanceTimersByTimeAsync(1_000);
  expect(third).toBe(false);
  slots.releaseSlot(context);
  await jest.advanceTimersByTimeAsync(0);
  expect(third).toBe(true);
});

test('a poller that gives up leaves nothing behind', async () => {
  const slots = new GatedSlots({ slots: 1, closedForMs: () => 9_999 });
  const abort = new AbortController();
  const waiting = slots.reserveSlot(context, abort.signal);
  abort.abort();
  await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
});
