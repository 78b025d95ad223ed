import CliTable from 'cli-table3';
import type { Terminal } from '../terminal';
import { printable } from '../terminal';

/** One column of a table. */
export interface Column {
  head: string;
  align?: 'left' | 'right';
  /** Narrower than this it never gets. @default the width of its head */
  min?: number;
  /** Takes part in shrinking when the table is too wide (the others are shown in full): ids lose their middle, prose its end. */
  shrink?: 'middle' | 'end';
}

/** A cell: text from anywhere, and how it is coloured once it has its final width. */
export type Cell = string | number | { text: string; colour: (text: string) => string };

const gap = 2;
const noBorders = Object.fromEntries(
  [
    'top',
    'top-mid',
    'top-left',
    'top-right',
    'bottom',
    'bottom-mid',
    'bottom-left',
    'bottom-right',
    'left',
    'left-mid',
    'mid',
    'mid-mid',
    'right',
    'right-mid',
    'middle',
  ].map((name) => [name, '']),
);

/** A table without lines that fits the terminal: the widest of the shrinking columns give way first. */
export function table(terminal: Terminal, columns: readonly Column[], rows: readonly (readonly Cell[])[], indent = 0): string {
  const texts = rows.map((row) => row.map(plain));
  const widths = fit(columns, texts, terminal.columns - indent);
  const cli = new CliTable({
    chars: noBorders,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    colAligns: columns.map((column) => column.align ?? 'left'),
    colWidths: widths.map((width, index) => width + (index < widths.length - 1 ? gap : 0)),
  });
  const cell = (text: string, index: number, colour?: (text: string) => string) => {
    const short = (columns[index]?.shrink === 'end' ? cut : shorten)(text, widths[index] ?? text.length);
    const isLast = index === columns.length - 1;
    const padded = columns[index]?.align === 'right' ? `${short}${isLast ? '' : ' '.repeat(gap)}` : short;
    return colour ? colour(padded) : padded;
  };
  cli.push(columns.map((column, index) => cell(column.head, index, terminal.colours.dim)));
  for (const row of rows) cli.push(row.map((value, index) => cell(plain(value), index, typeof value === 'object' ? value.colour : undefined)));
  return cli
    .toString()
    .split('\n')
    .map((line) => `${' '.repeat(indent)}${line}`.trimEnd())
    .join('\n');
}

/** `name  value` lines with aligned values, long ones over several lines. A value's first word may be coloured. */
export function pairs(terminal: Terminal, entries: readonly (readonly [string, string, ((text: string) => string)?])[], indent = 2): string {
  const width = Math.max(0, ...entries.map(([name]) => name.length));
  return entries
    .flatMap(([name, value, colour = (text) => text]) => {
      const [first = '', ...more] = wrap(value, terminal.columns - indent - width - 2);
      const head = `${' '.repeat(indent)}${terminal.colours.dim(name.padEnd(width))}  ${first.replace(/^[^ :]+/, colour)}`;
      return [head, ...more.map((line) => `${' '.repeat(indent + width + 2)}${line}`)];
    })
    .join('\n');
}

/** Words broken into lines; a single long word (an id, a URL) is never broken, so that it can be copied. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

function plain(cell: Cell): string {
  return printable(typeof cell === 'object' ? cell.text : String(cell));
}

/** Cut at the end. */
export function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1).trimEnd()}…`;
}

/** Cut in the middle: both the start (what it is) and the end (which one) of an id tell something. */
export function shorten(text: string, width: number): string {
  if (text.length <= width) return text;
  if (width <= 1) return '…';
  const head = Math.ceil((width - 1) * 0.6);
  return `${text.slice(0, head)}…${text.slice(text.length - (width - 1 - head))}`;
}

function fit(columns: readonly Column[], rows: readonly (readonly string[])[], total: number): number[] {
  const widths = columns.map((column, index) => Math.max(column.head.length, ...rows.map((row) => row[index]?.length ?? 0)));
  const minimum = (index: number) => Math.max(columns[index]?.min ?? 0, columns[index]?.head.length ?? 0);
  let excess = widths.reduce((sum, width) => sum + width, 0) + gap * (columns.length - 1) - total;
  while (excess > 0) {
    let widest = -1;
    columns.forEach((column, index) => {
      const width = widths[index] ?? 0;
      if (column.shrink && width > minimum(index) && width > (widths[widest] ?? 0)) widest = index;
    });
    if (widest < 0) break;
    widths[widest] = (widths[widest] ?? 1) - 1;
    excess -= 1;
  }
  return widths;
}
