import { recordedTerminal, testNow } from '../testing/fake-context';
import { printable } from '../terminal';
import { cut, pairs, shorten, table, wrap } from './table';
import { parseSince, relative, span } from './times';
import { flatten, redacted, valueLines } from './values';
import { causeInWords, shellWord, stateOf } from './words';

describe('times', () => {
  test.each([
    [0, '0 ms'],
    [850, '850 ms'],
    [1_500, '1.5 s'],
    [2_000, '2 s'],
    [59_600, '1 min'],
    [125_000, '2 min 5 s'],
    [3_600_000, '1 h'],
    [273_600_000, '3 d 4 h'],
  ])('span of %d ms is %s', (ms, text) => expect(span(ms)).toBe(text));

  test('relative says which way', () => {
    expect(relative(testNow - 180_000, testNow)).toBe('3 min ago');
    expect(relative(testNow + 20_000, testNow)).toBe('in 20 s');
    expect(relative(testNow - 10, testNow)).toBe('just now');
  });

  test('--since takes spans and ISO 8601, and nothing that only looks like a time', () => {
    expect(parseSince('1h', testNow)).toBe(testNow - 3_600_000);
    expect(parseSince('2026-11-22T10:00:00Z', testNow)).toBe(Date.parse('2026-11-22T10:00:00Z'));
    for (const wrong of ['', 'h', '1 hour', '5', '2026-99-99']) expect(() => parseSince(wrong, testNow)).toThrow('is not a time');
  });
});

describe('tables', () => {
  const columns = [
    { head: 'id', shrink: 'middle' as const, min: 8 },
    { head: 'n', align: 'right' as const },
    { head: 'cause', shrink: 'end' as const, min: 8 },
  ];

  test('align, and have no trailing blanks', () => {
    const text = table(recordedTerminal(), columns, [
      ['a', 5, 'x'],
      ['bbb', 10, ''],
    ]);
    expect(text.split('\n')).toEqual(['id    n  cause', 'a     5  x', 'bbb  10']);
  });

  test('fit the terminal: ids lose their middle, prose its end', () => {
    const text = table(recordedTerminal(60), columns, [['0123456789'.repeat(5), 1, 'a long story that goes on and on and on and on']]);
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(60);
    expect(text).toMatch(/0123456789.*….*789 {2}/);
    expect(text).toMatch(/a long story.*…$/);
  });

  test('colour a cell without moving its neighbours', () => {
    const colour = (value: string) => `<${value}>`;
    expect(table(recordedTerminal(), [{ head: 'a' }, { head: 'b' }], [[{ text: 'x', colour }, 'y']])).toContain('<x>');
  });

  test('what comes from outside can’t move the cursor or add lines', () => {
    const text = table(recordedTerminal(), [{ head: 'cause' }], [['\u001b[2Jgone\nnext line\u202e']]);
    expect(text.split('\n')).toEqual(['cause', '�[2Jgone next line�']);
    expect(printable('a\tb\r\nc')).toBe('a b c');
  });

  test('words wrap, long words stay whole', () => {
    expect(wrap('one two three', 7)).toEqual(['one two', 'three']);
    expect(wrap('see https://a.very/long/address now', 10)).toEqual(['see', 'https://a.very/long/address', 'now']);
    expect(shorten('abcdefghij', 5)).toBe('abc…j');
    expect(cut('abcdefghij', 5)).toBe('abcd…');
    expect(pairs(recordedTerminal(20), [['name', 'a value of many words']])).toBe('  name  a value of\n        many words');
  });
});

describe('values', () => {
  const value = { email: 'ada@example.com', tags: ['a', 'b'], empty: {}, note: null };

  test('flatten names every leaf', () => {
    expect(flatten(value)).toEqual([
      ['email', 'ada@example.com'],
      ['tags.0', 'a'],
      ['tags.1', 'b'],
      ['empty', {}],
      ['note', null],
    ]);
    expect(flatten('just text')).toEqual([['', 'just text']]);
  });

  test('redacted keeps the shape and no value', () => {
    expect(redacted(value)).toEqual({ email: '(string)', tags: ['(string)', '(string)'], empty: {}, note: null });
    const { colours } = recordedTerminal();
    expect(valueLines(value, { colours, width: 80, indent: 0, redact: true }).join()).not.toContain('ada');
  });

  test('long values go on below, long lists end', () => {
    const { colours } = recordedTerminal();
    const lines = valueLines({ text: 'word '.repeat(30).trim() }, { colours, width: 60, indent: 2 });
    expect(lines.length).toBeGreaterThan(1);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(60);
    expect(
      valueLines(
        Array.from({ length: 100 }, (_, n) => n),
        { colours, width: 60, indent: 0 },
      ).at(-1),
    ).toContain('60 more');
  });
});

describe('words', () => {
  test('a cause in plain words: the row’s own, else what its code means, else the code', () => {
    expect(causeInWords({ code: 'RUN_LOST', cause: null })).toContain('without an outcome');
    expect(causeInWords({ code: 'INVALID_EMAIL', cause: 'not an e-mail' })).toBe('not an e-mail');
    expect(causeInWords({ code: 'PROPERTY_DOESNT_EXIST' })).toBe('PROPERTY_DOESNT_EXIST');
    expect(causeInWords({})).toBe('');
  });

  test('a later finding shows before the outcome it corrects', () => {
    expect(stateOf({ outcome: 'accepted', finding: 'missing', state: 'closed' })).toBe('missing');
    expect(stateOf({ outcome: null, finding: null, state: 'claimed' })).toBe('waiting');
    expect(stateOf({ outcome: null, finding: null, state: 'started' })).toBe('running');
  });

  test('ids can be copied into a shell', () => {
    expect(shellWord('shop/a%2Fb~e-1~00')).toBe('shop/a%2Fb~e-1~00');
    expect(shellWord("it's; rm -rf")).toBe(`'it'\\''s; rm -rf'`);
    expect(shellWord('~root')).toBe(`'~root'`);
  });
});
