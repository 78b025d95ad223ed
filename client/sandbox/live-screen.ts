/** Where a live display is written. */
export interface Output {
  isTTY?: boolean;
  columns?: number;
  rows?: number;
  write(text: string): unknown;
}

/** A block of lines at the bottom that is refreshed in place, and lines that scroll away above it. */
export interface LiveScreen {
  /** Shows the block; without a terminal it is printed when it changed. */
  show(lines: readonly string[]): void;
  /** Prints a line above the block. */
  print(line: string): void;
  /** The user pressed Enter: the cursor is a line lower than we left it. */
  enterPressed(): void;
}

export function createLiveScreen(out: Output): LiveScreen {
  let block: readonly string[] = [];
  let height = 0;
  const erase = (): void => {
    if (height > 0) out.write(`\x1b[${height}A\x1b[0J`);
    height = 0;
  };
  const draw = (): void => {
    // A block higher than the window could not be erased: its end is what matters.
    const lines = block.slice(-Math.max(1, (out.rows ?? 24) - 1));
    for (const line of lines) out.write(`${line}\n`);
    height = lines.reduce((sum, line) => sum + rowsOf(line, out.columns ?? 80), 0);
  };
  if (!out.isTTY) {
    return {
      show(lines) {
        if (lines.join('\n') === block.join('\n')) return;
        block = [...lines];
        for (const line of lines) out.write(`${line}\n`);
      },
      print: (line) => void out.write(`${line}\n`),
      enterPressed: () => undefined,
    };
  }
  return {
    show(lines) {
      erase();
      block = [...lines];
      draw();
    },
    print(line) {
      erase();
      out.write(`${line}\n`);
      draw();
    },
    enterPressed: () => void (height += 1),
  };
}

/** A line longer than the window takes several rows. */
function rowsOf(line: string, columns: number): number {
  const width = line.replaceAll(/\x1b\[[0-9;]*m/g, '').length;
  return Math.max(1, Math.ceil(width / columns));
}
