import type { LoadedDataConverter } from '@temporalio/common/lib/converter/data-converter';
import type { History, Payload } from '@temporalio/common/lib/proto-utils';

/** An event of a history, payloads decoded in place, times and durations in milliseconds. */
export interface PlainEvent {
  id: number;
  /** As the server's `…EventAttributes` field is called, e.g. `activityTaskScheduled`. */
  type: string;
  /** Epoch milliseconds, by the server's clock. */
  at: number;
  attributes: Readonly<Record<string, unknown>>;
  /** What the workflow said this step is for. */
  summary?: string;
}

/** Stands where a payload could not be read, e.g. encrypted with a key this process does not have. */
export interface Unreadable {
  unreadable: string;
}

export function isUnreadable(value: unknown): value is Unreadable {
  return isObject(value) && typeof value['unreadable'] === 'string' && Object.keys(value).length === 1;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A raw history as plain events. Knows nothing of particular event types, so new ones pass through. */
export async function decodeHistory(history: History, converter: LoadedDataConverter): Promise<PlainEvent[]> {
  const events: PlainEvent[] = [];
  for (const event of history.events ?? []) {
    const named = Object.entries(event).find(([name, value]) => name.endsWith('EventAttributes') && value);
    const summary = await decodeValue(event.userMetadata?.summary, converter);
    events.push({
      id: Number(String(event.eventId ?? 0)),
      type: named ? named[0].replace(/EventAttributes$/, '') : 'unknown',
      at: (await decodeValue(event.eventTime, converter)) as number,
      attributes: isObject(named?.[1]) ? ((await decodeValue(named[1], converter)) as Record<string, unknown>) : {},
      ...(typeof summary === 'string' ? { summary } : {}),
    });
  }
  return events;
}

/** Any protobuf value of the server's API as plain data. Payload lists become arrays, timestamps and durations numbers. */
export async function decodeValue(value: unknown, converter: LoadedDataConverter): Promise<unknown> {
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (Array.isArray(value)) return Promise.all(value.map((one) => decodeValue(one, converter)));
  if (isPayload(value)) return decodePayload(value, converter);
  if (isLong(value)) return Number(value.toString());
  const entries = Object.entries(value).filter(([, part]) => typeof part !== 'function');
  if (entries.length === 1 && entries[0]?.[0] === 'payloads') return decodeValue(entries[0][1], converter);
  if (entries.length > 0 && entries.every(([name]) => name === 'seconds' || name === 'nanos')) return milliseconds(value);
  return Object.fromEntries(await Promise.all(entries.map(async ([name, part]) => [name, await decodeValue(part, converter)] as const)));
}

async function decodePayload(payload: Payload, converter: LoadedDataConverter): Promise<unknown> {
  try {
    let decoded = [payload];
    for (const codec of [...converter.payloadCodecs].reverse()) decoded = await codec.decode(decoded);
    return converter.payloadConverter.fromPayload(decoded[0] ?? payload);
  } catch (error) {
    return { unreadable: error instanceof Error ? error.message : String(error) } satisfies Unreadable;
  }
}

function isPayload(value: object): value is Payload {
  const metadata = (value as Payload).metadata;
  return isObject(metadata) && metadata['encoding'] instanceof Uint8Array;
}

/** 64-bit integers of protobuf, without importing the class: several copies of it may be installed. */
function isLong(value: object): value is { low: number; high: number; toString(): string } {
  return 'low' in value && 'high' in value && 'unsigned' in value;
}

/** Of a protobuf timestamp or duration. */
export function milliseconds(value: object): number {
  const { seconds = 0, nanos = 0 } = value as { seconds?: number | { toString(): string }; nanos?: number };
  return Math.round(Number(seconds.toString()) * 1_000 + nanos / 1_000_000);
}
