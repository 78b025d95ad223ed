import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** One answered request: when it should have left, when the answer was complete; ms on one clock. */
export interface Answered {
  status: number;
  latencyMs: number;
}

/** Requests, ready to be written: signing and serialising them is not what is measured. */
export type Requests = readonly Buffer[];

/** A whole HTTP/1.1 request in bytes. */
export function requestBytes(host: string, path: string, headers: Record<string, string>, body: Buffer): Buffer {
  const lines = Object.entries({ host, ...headers, 'content-length': String(body.length) }).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n`), body]);
}

/** All requests as fast as `connections` kept-alive connections carry them. Latency is counted from the write. */
export async function flood(port: number, requests: Requests, connections: number): Promise<{ answered: Answered[]; seconds: number }> {
  const lines = await Promise.all(Array.from({ length: connections }, () => openLine(port)));
  const answered: Answered[] = [];
  let next = 0;
  const startedAt = performance.now();
  await Promise.all(
    lines.map(async (line) => {
      while (next < requests.length) {
        const request = requests[next++] as Buffer;
        const sentAt = performance.now();
        const status = await line.send(request);
        answered.push({ status, latencyMs: performance.now() - sentAt });
      }
    }),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  for (const line of lines) line.close();
  return { answered, seconds };
}

/** Requests at a steady rate. Latency is counted from when each was due, so a stall shows in all that it delayed. */
export async function steady(port: number, requests: Requests, perSecond: number, connections = 8): Promise<Answered[]> {
  const lines = await Promise.all(Array.from({ length: connections }, () => openLine(port)));
  const free = [...lines];
  const waiting: ((line: Line) => void)[] = [];
  const take = (): Promise<Line> => {
    const line = free.shift();
    return line ? Promise.resolve(line) : new Promise((resolve) => waiting.push(resolve));
  };
  const give = (line: Line): void => {
    const first = waiting.shift();
    if (first) first(line);
    else free.push(line);
  };
  const startedAt = performance.now();
  const answered: Promise<Answered>[] = [];
  for (const [index, request] of requests.entries()) {
    const due = startedAt + (index * 1000) / perSecond;
    const wait = due - performance.now();
    if (wait > 0) await delay(wait);
    // A timer fires up to a millisecond late, or early: that is ours, not the server's.
    const dueAt = Math.max(due, performance.now());
    answered.push(
      take().then(async (line) => {
        const status = await line.send(request);
        give(line);
        return { status, latencyMs: performance.now() - dueAt };
      }),
    );
  }
  const all = await Promise.all(answered);
  for (const line of lines) line.close();
  return all;
}

/** One connection, one request at a time. */
interface Line {
  send(request: Buffer): Promise<number>;
  close(): void;
}

/** A client this thin costs a tenth of node's own, and so leaves the two cores to the servers. */
function openLine(port: number): Promise<Line> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let settle: { resolve: (status: number) => void; reject: (error: Error) => void } | undefined;
    let received = '';
    const fail = (error: Error): void => {
      settle?.reject(error);
      reject(error);
    };
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      const status = completeStatus(received);
      if (status === undefined) return;
      received = '';
      const done = settle;
      settle = undefined;
      done?.resolve(status);
    });
    socket.on('error', fail);
    socket.on('close', () => fail(new Error('the server closed the connection')));
    socket.once('connect', () =>
      resolve({
        send: (request) =>
          new Promise((ok, bad) => {
            settle = { resolve: ok, reject: bad };
            socket.write(request);
          }),
        close: () => {
          settle = undefined;
          socket.destroy();
        },
      }),
    );
  });
}

/** The status once the whole answer is there; both servers send a content length. */
function completeStatus(received: string): number | undefined {
  const end = received.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const length = /\r\ncontent-length: *(\d+)/i.exec(received.slice(0, end + 2))?.[1];
  if (length === undefined) throw new Error(`an answer without a length: ${received.slice(0, end)}`);
  return received.length >= end + 4 + Number(length) ? Number(received.slice(9, 12)) : undefined;
}
