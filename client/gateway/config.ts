import { z } from 'zod';
import { type Config, countVariable, loadConfig, portVariable, readVariables, textVariable, type Variable } from '../../platform/config';
import type { Environment } from '../../platform/secrets';
import { connectionOptions, type TemporalSettings } from '../../platform/temporal-connection';
import { defaultLimits } from '../receive';

export interface GatewayConfig extends Config {
  host: string;
  /** 0 = any free one. */
  port: number;
  /** Undefined: the address the gateway listens on. */
  publicUrl: string | undefined;
  maxInFlight: number;
  /** Rows waiting to start, above which deliveries are answered 503. */
  maxBacklog: number;
  temporal: TemporalSettings;
}

const publicUrlVariable: Variable<string | undefined> = {
  name: 'GATEWAY_PUBLIC_URL',
  schema: z.url({ protocol: /^https?$/ }).optional(),
  expected: 'the address providers send to, e.g. https://hooks.example.com (HubSpot signs it)',
};

const variables = {
  // Loopback by default: in a container or behind a proxy on another machine, say 0.0.0.0.
  host: textVariable('GATEWAY_HOST', '127.0.0.1'),
  port: portVariable('GATEWAY_PORT', 8080),
  publicUrl: publicUrlVariable,
  maxInFlight: countVariable('GATEWAY_MAX_IN_FLIGHT', defaultLimits.maxInFlight),
  maxBacklog: countVariable('GATEWAY_MAX_BACKLOG', 1_000_000),
};

export function loadGatewayConfig(env: Environment = process.env): GatewayConfig {
  return { ...loadConfig(env), ...readVariables(variables, { env }), temporal: connectionOptions(env) };
}
