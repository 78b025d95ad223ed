import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a bench asks its processes to do: JSON over loopback HTTP, one path per command. */
export type Commands = Record<string, (input: any) => unknown>;

/** Serves the commands; resolves to the address. */
export async function serveCommands(commands: Commands): Promise<string> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const command = commands[(request.url ?? '/').slice(1)];
      const run = async (): Promise<unknown> => {
        if (!command) throw new Error(`no command ${request.url}`);
        return command(chunks.length > 0 ? JSON.parse(Buffer.concat(chunks).toString()) : undefined);
      };
      run().then(
        (result) => response.writeHead(200).end(JSON.stringify(result ?? null)),
        (error: unknown) => response.writeHead(500).end(String((error as Error).stack ?? error)),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Runs a command of another process. */
export async function command(url: string, name: string, input: unknown = {}): Promise<any> {
  const response = await fetch(`${url}/${name}`, { method: 'POST', body: JSON.stringify(input) });
  if (!response.ok) throw new Error(`${name}: ${await response.text()}`);
  return response.json();
}
