import net from 'node:net';

/** A TCP proxy in front of a server, to take the server away without touching it. */
export interface SeverableProxy {
  /** The server's URL, through the proxy. */
  url: string;
  /** Ends all connections and refuses new ones. */
  refuse(): void;
  /** Keeps connections open but lets nothing pass: a machine that went silent. */
  freeze(): void;
  /** Serves again; what was frozen is cut. */
  restore(): void;
  close(): Promise<void>;
}

export async function severableProxy(serverUrl: string): Promise<SeverableProxy> {
  const target = new URL(serverUrl);
  let state: 'open' | 'refused' | 'frozen' = 'open';
  const sockets = new Set<net.Socket>();
  const server = net.createServer((client) => {
    if (state === 'refused') return void client.destroy();
    const upstream = net.connect(Number(target.port), target.hostname);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on('data', (data) => state === 'open' && to.write(data));
      from.on('error', () => undefined);
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  const cut = () => sockets.forEach((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(serverUrl);
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as net.AddressInfo).port);
  return {
    url: url.href,
    refuse() {
      state = 'refused';
      cut();
    },
    freeze: () => void (state = 'frozen'),
    restore() {
      cut();
      state = 'open';
    },
    async close() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
