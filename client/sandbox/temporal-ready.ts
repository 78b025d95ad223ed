import { Connection } from '@temporalio/client';
import { prepareNamespace } from './namespace';

/** Retention and search attributes of the sandbox's namespace. */
export async function prepareTemporal(address: string): Promise<void> {
  const connection = await Connection.connect({ address });
  await prepareNamespace(connection, { namespace: 'default' }).finally(() => connection.close());
}
