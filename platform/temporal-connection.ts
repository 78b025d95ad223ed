import { loadClientConnectConfig } from '@temporalio/envconfig';
import type { Environment } from './secrets';

/** `TEMPORAL_*` or `temporal.toml` that can't be used. */
export class TemporalConfigError extends Error {
  override readonly name = 'TemporalConfigError';
}

type ConnectConfig = ReturnType<typeof loadClientConnectConfig>;

/** Where Temporal is and how to reach it. `connection` fits `Connection.connect` and `NativeConnection.connect` alike. */
export interface TemporalSettings {
  connection: Pick<ConnectConfig['connectionOptions'], 'tls' | 'apiKey' | 'metadata'> & { address: string };
  namespace: string;
}

/**
 * Reads `TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, `TEMPORAL_API_KEY`, `TEMPORAL_TLS_*`, `TEMPORAL_PROFILE` and the profile file,
 * as Temporal's own tools do. Variables win over the file.
 */
export function connectionOptions(env: Environment = process.env): TemporalSettings {
  const overrideEnvVars = Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
  let config: ConnectConfig;
  try {
    config = loadClientConnectConfig({ overrideEnvVars });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TemporalConfigError(`The TEMPORAL_* variables or temporal.toml are not usable: ${reason}`);
  }
  const { address, tls, apiKey, metadata } = config.connectionOptions;
  return {
    connection: {
      address: address ?? 'localhost:7233',
      ...(tls === undefined ? {} : { tls }),
      ...(apiKey === undefined ? {} : { apiKey }),
      ...(metadata === undefined ? {} : { metadata }),
    },
    namespace: config.namespace ?? 'default',
  };
}
