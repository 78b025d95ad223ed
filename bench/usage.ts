import { readdirSync, readFileSync } from 'node:fs';

/** The kernel counts CPU time in hundredths of a second on every Linux that Node runs on. */
const msPerTick = 10;

/** CPU time of processes, milliseconds, by name; NaN where the system has no /proc. */
export type Usage = Record<string, number>;

/** CPU time so far. `database` counts with its backends, those that have ended included. */
export function cpuTimes(pids: Readonly<Record<string, number>>): Usage {
  const children = childrenByParent();
  return Object.fromEntries(
    Object.entries(pids).map(([name, pid]) => {
      const own = statOf(pid);
      if (!own) return [name, NaN];
      if (name !== 'database') return [name, own.ticks * msPerTick];
      const living = (children.get(pid) ?? []).reduce((total, child) => total + (statOf(child)?.ticks ?? 0), 0);
      return [name, (own.ticks + own.childTicks + living) * msPerTick];
    }),
  );
}

/** What was used between two readings. */
export function usedBetween(before: Usage, after: Usage): Usage {
  return Object.fromEntries(Object.entries(after).map(([name, ms]) => [name, ms - (before[name] ?? 0)]));
}

function childrenByParent(): Map<number, number[]> {
  const children = new Map<number, number[]>();
  for (const entry of processes()) {
    const parent = statOf(Number(entry))?.parent;
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
  }
  return children;
}

function processes(): string[] {
  try {
    return readdirSync('/proc').filter((entry) => /^\d+$/.test(entry));
  } catch {
    return [];
  }
}

/** proc(5): fields 4 (ppid) and 14 to 17 (utime, stime, cutime, cstime); the name before them may hold anything. */
function statOf(pid: number): { parent: number; ticks: number; childTicks: number } | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [parent = 0, utime = 0, stime = 0, cutime = 0, cstime = 0] = [fields[1], fields[11], fields[12], fields[13], fields[14]];
  return { parent, ticks: utime + stime, childTicks: cutime + cstime };
}
