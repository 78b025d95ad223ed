import type { SourceEvent } from '../schemas/event';
import { type BodyCodec, decodeBody } from './body';

/** The columns an event is made of; times as text, since a driver's Date would lose the microseconds. */
export const eventColumns = /* sql */ `event_id, source, account, topic, body,
  (extract(epoch from received_at) * 1000000)::bigint::text as arrival,
  floor(extract(epoch from coalesce(occurred_at, received_at)) * 1000)::bigint::text as version_at`;

export interface EventColumns {
  event_id: string;
  source: string;
  account: string;
  topic: string;
  body: Buffer | null;
  arrival: string;
  version_at: string;
}

/** The event as a run receives it. */
export async function toSourceEvent(codec: BodyCodec, row: EventColumns & { body: Buffer }): Promise<SourceEvent> {
  const arrival = Number(row.arrival);
  return {
    id: row.event_id,
    source: row.source,
    account: row.account,
    topic: row.topic,
    receivedAt: new Date(Math.floor(arrival / 1000)).toISOString(),
    version: { at: Number(row.version_at), arrival },
    body: await decodeBody(codec, row.body),
  };
}
