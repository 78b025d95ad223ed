import type { Environment } from '../../platform/secrets';
import { PortInUseError, resolvePort } from './ports';

/** What listens in a sandbox, in the order in which a person reads about it; simulators come after these. */
export const services = {
  temporal: { env: 'TEMPORAL_PORT', default: 7233, name: 'Temporal' },
  webUi: { env: 'TEMPORAL_UI_PORT', default: 8233, name: 'Temporal Web UI' },
  gateway: { env: 'GATEWAY_PORT', default: 8080, name: 'gateway' },
  codec: { env: 'SYNCLINE_CODEC_PORT', default: 8081, name: 'codec endpoint of the Web UI' },
  metrics: { env: 'SYNCLINE_METRICS_PORT', default: 9464, name: 'metrics of the worker' },
  // Any free one: nobody types its address, and 5432 is often taken.
  postgres: { env: 'SYNCLINE_POSTGRES_PORT', default: 0, name: 'PostgreSQL' },
} as const;

export type Service = keyof typeof services;

/** Ports of the services, and of the simulators by vendor. */
export interface SandboxPorts {
  services: Record<Service, number>;
  simulators: Record<string, number>;
}

/** Variable of a vendor's simulator port; they count from 9100. */
export function simulatorPortVariable(vendor: string): string {
  return `SYNCLINE_${vendor.toUpperCase().replaceAll(/[^A-Z0-9]+/g, '_')}_SIMULATOR_PORT`;
}

const firstSimulatorPort = 9100;

/** Every port that is taken, at once: one answer, one correction. */
export class PortsInUseError extends Error {
  override readonly name = 'PortsInUseError';
  constructor(readonly ports: readonly PortInUseError[]) {
    super(ports.map(({ message }) => message).join('\n'));
  }
}

/** Ports by environment or default, checked to be free; with `anyFree` all of them are picked by the system. */
export async function resolvePorts(vendors: readonly string[], environment: Environment, anyFree = false): Promise<SandboxPorts> {
  const taken: PortInUseError[] = [];
  const resolve = async (choice: { env: string; default: number; name: string }): Promise<number> => {
    try {
      return await resolvePort({ ...choice, environment: anyFree ? { [choice.env]: '0' } : environment });
    } catch (error) {
      if (!(error instanceof PortInUseError)) throw error;
      taken.push(error);
      return 0;
    }
  };
  const ports: SandboxPorts = { services: { temporal: 0, webUi: 0, gateway: 0, codec: 0, metrics: 0, postgres: 0 }, simulators: {} };
  for (const [service, choice] of Object.entries(services)) ports.services[service as Service] = await resolve(choice);
  for (const [index, vendor] of vendors.entries()) {
    ports.simulators[vendor] = await resolve({ env: simulatorPortVariable(vendor), default: firstSimulatorPort + index, name: `${vendor} simulator` });
  }
  if (taken.length > 0) throw new PortsInUseError(taken);
  return ports;
}
