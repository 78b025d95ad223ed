import { randomInt } from 'node:crypto';
import { createServer, type Server } from 'node:net';

/**
 * Free ports come from blocks below those that systems give to outgoing connections (32768 and up on Linux, 49152 on
 * others), so none is lost to a connection between being picked and being listened on. A block belongs to the process
 * that listens on its first port: programs that start at the same moment never pick the same.
 */
const blocks = { first: 20_000, size: 40, count: 300 };

interface Block {
  next: number;
  readonly end: number;
}

let block: Promise<Block> | undefined;

/** A port of 127.0.0.1 that nothing listens on now, and that no other process of Syncline picks while this one lives. */
export async function freePort(): Promise<number> {
  for (;;) {
    block ??= claimBlock();
    const mine = await block;
    const port = mine.next++;
    if (port >= mine.end) block = undefined;
    else if (await isFree(port)) return port;
  }
}

async function claimBlock(): Promise<Block> {
  const start = randomInt(blocks.count);
  for (let turn = 0; turn < blocks.count; turn++) {
    const first = blocks.first + ((start + turn) % blocks.count) * blocks.size;
    const guard = createServer().unref();
    const claimed = await listen(guard, first, '127.0.0.1').catch(() => undefined);
    if (claimed !== undefined) return { next: first + 1, end: first + blocks.size };
  }
  throw new Error(`There is no free port between ${blocks.first} and ${blocks.first + blocks.count * blocks.size}: end programs that listen there.`);
}

/** True when nothing listens on the port, on the loopback address or on all of them. */
export async function isFree(port: number): Promise<boolean> {
  for (const host of ['127.0.0.1', '::']) {
    try {
      await listenBriefly(port, host);
    } catch (error) {
      // A machine without IPv6 answers EAFNOSUPPORT or EADDRNOTAVAIL: nothing can be listening there.
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EADDRINUSE' || code === 'EACCES') return false;
    }
  }
  return true;
}

async function listenBriefly(port: number, host: string): Promise<void> {
  const server = createServer();
  await listen(server, port, host);
  await new Promise((resolve) => server.close(resolve));
}

function listen(server: Server, port: number, host: string): Promise<true> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host, exclusive: true }, () => resolve(true));
  });
}
