import type { Json } from '../../../schemas/json';
import type { Colours } from '../terminal';
import { printable } from '../terminal';
import { wrap } from './table';

/** A JSON value as `path value` lines, for a terminal. Long values go on below themselves, long lists end after `maxLines`. */
export function valueLines(
  value: Json | undefined,
  options: { colours: Colours; width: number; indent: number; redact?: boolean; maxLines?: number },
): string[] {
  const { colours, width, indent, redact = false, maxLines = 40 } = options;
  const leaves = flatten(value ?? null);
  const shown = leaves.slice(0, maxLines);
  const nameWidth = Math.min(32, Math.max(0, ...shown.map(([path]) => path.length)));
  const lines = shown.flatMap(([path, leaf]) => {
    const name = printable(path).padEnd(nameWidth);
    const text = redact ? `(${typeOf(leaf)})` : printable(typeof leaf === 'string' ? leaf : JSON.stringify(leaf));
    const before = name === '' ? 0 : name.length + 2;
    const [first = '', ...more] = chunks(text, Math.max(20, width - indent - before));
    const head = `${' '.repeat(indent)}${colours.dim(name)}${name === '' ? '' : '  '}${first}`;
    return [head, ...more.map((line) => `${' '.repeat(indent + before)}${line}`)];
  });
  if (leaves.length > maxLines) lines.push(`${' '.repeat(indent)}${colours.dim(`… ${leaves.length - maxLines} more (--json shows all)`)}`);
  return lines;
}

/** Words wrapped, and what is longer than a line (a token, nested JSON) broken anywhere. */
function chunks(text: string, width: number): string[] {
  return wrap(text, width).flatMap((line) => line.match(new RegExp(`.{1,${width}}`, 'gu')) ?? ['']);
}

/** Leaves with their dotted path; empty objects and lists are leaves. */
export function flatten(value: Json, path = ''): [string, Json][] {
  if (value === null || typeof value !== 'object') return [[path, value]];
  const entries = Array.isArray(value) ? value.map((one, index) => [String(index), one] as const) : Object.entries(value);
  if (entries.length === 0) return [[path, value]];
  return entries.flatMap(([name, part]) => flatten(part, path === '' ? name : `${path}.${name}`));
}

/** The same shape with type names for values: what may be shown to others. */
export function redacted(value: Json): Json {
  if (Array.isArray(value)) return value.map(redacted);
  if (value !== null && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, redacted(part)]));
  return value === null ? null : `(${typeOf(value)})`;
}

function typeOf(value: Json): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'list' : typeof value === 'object' ? 'object' : typeof value;
}
