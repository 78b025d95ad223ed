import { createLiveScreen } from './live-screen';

/** What a terminal would show: understands newline, cursor up and erase below. */
function terminal(columns = 40, rows = 24) {
  const lines = [''];
  let row = 0;
  return {
    isTTY: true,
    columns,
    rows,
    write(text: string) {
      for (const part of text.split(/(\x1b\[\d*[A-Z]|\n)/)) {
        const up = /^\x1b\[(\d+)A$/.exec(part);
        if (up) row -= Number(up[1]);
        else if (part === '\x1b[0J') lines.splice(row, lines.length, '');
        else if (part === '\n') lines[++row] ??= '';
        else lines[row] += part;
      }
    },
    shown: () => lines.slice(0, -1),
  };
}

test('the block is refreshed in place, and lines scroll above it', () => {
  const out = terminal();
  const screen = createLiveScreen(out);
  screen.show(['received 1', 'delivered 0']);
  screen.print('the worker ended');
  screen.show(['received 2', 'delivered 1']);
  expect(out.shown()).toEqual(['the worker ended', 'received 2', 'delivered 1']);
});

test('a line that Enter made is erased too', () => {
  const out = terminal();
  const screen = createLiveScreen(out);
  screen.show(['one']);
  out.write('\n');
  screen.enterPressed();
  screen.show(['two']);
  expect(out.shown()).toEqual(['two']);
});

test('a block higher than the window keeps its end', () => {
  const out = terminal(40, 3);
  const screen = createLiveScreen(out);
  screen.show(['a', 'b', 'c', 'd']);
  screen.show(['a', 'b', 'c', 'e']);
  expect(out.shown()).toEqual(['c', 'e']);
});

test('a line that wraps is erased as the rows it takes', () => {
  const written: string[] = [];
  const screen = createLiveScreen({ isTTY: true, columns: 10, rows: 24, write: (text) => written.push(text) });
  screen.show(['x'.repeat(25), '\x1b[32mgreen\x1b[39m']);
  screen.show(['y']);
  expect(written).toContain('\x1b[4A\x1b[0J');
});

test('without a terminal the block is printed only when it changed', () => {
  const written: string[] = [];
  const screen = createLiveScreen({ write: (text) => written.push(text) });
  screen.show(['one']);
  screen.show(['one']);
  screen.print('news');
  screen.show(['two']);
  expect(written).toEqual(['one\n', 'news\n', 'two\n']);
});
