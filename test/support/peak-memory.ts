import { readFileSync } from 'node:fs';

/** Most memory a process ever held (VmHWM), MiB; NaN where the system has no /proc. */
export function peakMemory(pid: number): number {
  try {
    const kib = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Number(kib) / 1024;
  } catch {
    return NaN;
  }
}
