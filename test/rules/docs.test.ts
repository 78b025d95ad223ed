import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { createProgram } from '../../client/cli/program';
import { accountVariable } from '../../syncs/accounts-api';
import { subjects } from '../conformance/subjects';

/* Documents rot unless something reads them: links, commands, variables, tests they name, and their code. */

// The compiler takes some seconds on a quiet machine, and several times that beside other tests.
jest.setTimeout(180_000);

const root = path.resolve(__dirname, '../..');
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');
const ignored = new Set(['node_modules', '.git', '.syncline', 'dist', 'coverage']);
const filesBelow = (folder: string, fits: (file: string) => boolean): string[] =>
  readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const file = path.posix.join(folder, entry.name);
    if (entry.isDirectory()) return ignored.has(entry.name) ? [] : filesBelow(file, fits);
    return fits(file) ? [file] : [];
  });

const pages = filesBelow('.', (file) => file.endsWith('.md'));
const isSource = (file: string): boolean => /\.(ts|js|mjs)$/.test(file) && !file.endsWith('.test.ts');
const product = ['schemas', 'connectors', 'syncs', 'workflows', 'activities', 'platform', 'ledger', 'warehouse', 'workers', 'client', 'bin'];
const productFiles = product.flatMap((folder) => filesBelow(folder, isSource));

/** A fenced block: what stands behind the fence, and its lines. */
interface Block {
  info: string;
  code: string;
}

/** A page, taken apart: its fenced blocks, and the text between them. */
function parts(text: string): { blocks: Block[]; text: string } {
  const blocks: Block[] = [];
  const between: string[] = [];
  let open: Block | undefined;
  for (const line of text.split('\n')) {
    const fence = line.startsWith('```');
    if (!fence && open) open.code += `${line}\n`;
    else if (!fence) between.push(line);
    else if (open) open = undefined;
    else blocks.push((open = { info: line.slice(3).trim(), code: '' }));
  }
  return { blocks, text: between.join('\n') };
}

/** The page without its code: a link in an example leads nowhere. */
const prose = (text: string): string => parts(text).text.replaceAll(/`[^`\n]*`/g, '');

/** Headings as GitHub makes anchors of them. */
function anchors(text: string): Set<string> {
  const seen = new Map<string, number>();
  const headings = parts(text).text.matchAll(/^#{1,6} +(.+?) *$/gm);
  return new Set(
    [...headings].map(([, heading = '']) => {
      const words = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
      const anchor = words.replaceAll(/[^\p{L}\p{N}_ -]/gu, '').replaceAll(' ', '-');
      const count = seen.get(anchor) ?? 0;
      seen.set(anchor, count + 1);
      return count === 0 ? anchor : `${anchor}-${count}`;
    }),
  );
}

/** Lines that are commands: what stands in backticks, and every line of a shell block. */
function commandLines(page: string): string[] {
  const { blocks, text } = parts(page);
  const lines = blocks.filter(({ info }) => ['', 'sh', 'bash', 'text'].includes(info)).flatMap(({ code }) => code.split('\n'));
  return [...lines, ...[...text.matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code)];
}

describe('links', () => {
  test.each(pages)('%s', (page) => {
    const text = read(page);
    const links = [...prose(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
    const broken = links.filter((link) => {
      if (/^[a-z]+:/.test(link)) return false;
      const [file = '', anchor] = link.split('#');
      const target = file === '' ? page : path.posix.normalize(path.posix.join(path.posix.dirname(page), file));
      if (!existsSync(path.join(root, target))) return true;
      return anchor !== undefined && (statSync(path.join(root, target)).isDirectory() || !anchors(read(target)).has(anchor));
    });
    expect(broken).toEqual([]);
  });
});

describe('commands', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const program = createProgram(() => Promise.resolve());
  const commands = new Map(program.commands.map((command) => [command.name(), command]));

  test.each(pages)('%s', (page) => {
    const wrong = commandLines(read(page)).flatMap((line) => [...scriptsIn(line), ...commandsIn(line)]);
    expect(wrong).toEqual([]);
  });

  function scriptsIn(line: string): string[] {
    const named = [...line.matchAll(/\bnpm (?:run (?:-s )?)?([a-z][\w:-]*)/g)].map(([, name = '']) => name);
    const own = new Set(['ci', 'install', 'run', 'test', 'start', 'exec', 'prune', 'init']); // npm's own, or a script of the same name
    return named.filter((name) => !own.has(name) && scripts[name] === undefined).map((name) => `npm run ${name}`);
  }

  function commandsIn(line: string): string[] {
    const [, rest] = /\bnpx syncline +(.+)/.exec(line) ?? [];
    if (rest === undefined) return [];
    const [name = '', ...words] = rest
      .split('#')[0]!
      .split(/[\s;|,)]+/)
      .filter((word) => word !== '');
    const group = commands.get(name);
    const command = group?.commands.find((one) => one.name() === words[0]) ?? group;
    if (name.startsWith('-') || name === '…' || name === '<command>') return [];
    if (!command) return [`npx syncline ${name}`];
    const options = new Set([...command.options.flatMap(({ long, short }) => [long, short]), '--help']);
    return words.filter((word) => word.startsWith('--') && !options.has(word.split('=')[0])).map((word) => `npx syncline ${name} ${word}`);
  }
});

describe('environment variables', () => {
  const name = /\b(?:SYNCLINE|GATEWAY|TEMPORAL)_[A-Z0-9_]*[A-Z0-9]\b/g;
  const others = ['NO_COLOR', 'XDG_CACHE_HOME'];
  const withoutComments = (text: string): string => text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|\s)\/\/.*$/gm, '$1');
  const namesIn = (text: string): string[] => text.match(name) ?? [];
  /** Variables that code reads: their names stand in quotes or behind `env`. */
  const readBy = (files: string[]): Set<string> =>
    new Set(
      files.flatMap((file) => {
        const code = withoutComments(read(file));
        const quoted = [...code.matchAll(/(['"`])([A-Z][A-Z0-9_]+)\1/g)].map(([, , word = '']) => word);
        const member = [...code.matchAll(/\benv\.([A-Z][A-Z0-9_]+)/g)].map(([, word = '']) => word);
        return [...quoted, ...member].filter((word) => new RegExp(`^${name.source}$`).test(word) || others.includes(word));
      }),
    );
  const documents = (files: string[]): string =>
    files
      .filter((file) => existsSync(path.join(root, file)))
      .map(read)
      .join('\n');
  const inProduct = readBy(productFiles);
  const inTests = readBy(['test', 'bench'].flatMap((folder) => filesBelow(folder, (file) => /\.ts$/.test(file))));
  const envconfig = path.relative(root, path.dirname(require.resolve('@temporalio/envconfig')));
  const ofTemporal = new Set(
    readdirSync(path.join(root, envconfig))
      .filter((file) => file.endsWith('.js'))
      .flatMap((file) => namesIn(read(path.join(envconfig, file)))),
  );
  const inCompose = new Set(
    filesBelow('docker', () => true)
      .concat('docker-compose.yml', 'Dockerfile')
      .flatMap((file) => namesIn(read(file))),
  );

  /** `SYNCLINE_<VENDOR>_<ACCOUNT>_<FIELD>`: any account of a vendor there is, or of one a page makes up. */
  const vendors = [
    ...readdirSync(path.join(root, 'connectors'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name),
    'mailroom',
  ];
  const fields = ['webhookSecret', 'baseUrl', ...subjects.flatMap(({ connector }) => connector.credentials)];
  const perAccount = new RegExp(
    `^(?:${vendors.flatMap((vendor) => fields.map((field) => accountVariable(vendor, 'ACCOUNT', field).replace('ACCOUNT', '[A-Z0-9_]+'))).join('|')}|SYNCLINE_[A-Z0-9_]+_SIMULATOR_PORT)$`,
  );
  const exists = (variable: string): boolean =>
    [inProduct, inTests, ofTemporal, inCompose].some((known) => known.has(variable)) ||
    perAccount.test(variable) ||
    /^SYNCLINE_WAREHOUSE_[A-Z0-9_]+_(?:URL|PATH|STATE)$/.test(variable) ||
    (variable.endsWith('_FILE') && exists(variable.slice(0, -5)));

  test.each(pages)('%s names none that nothing reads', (page) => {
    expect([...new Set(namesIn(read(page)))].filter((variable) => !exists(variable))).toEqual([]);
  });

  test('every one that the product reads is documented', () => {
    const documented = documents(['docs/operating.md', 'docs/sandbox.md']);
    const missing = [...inProduct].filter((variable) => !perAccount.test(variable) && !documented.includes(variable));
    expect(missing).toEqual([]);
  });

  test('every one that tests and benches read is, in CONTRIBUTING.md', () => {
    const documented = documents(['CONTRIBUTING.md', 'docs/operating.md', 'docs/sandbox.md', 'docs/reverse-etl.md']);
    expect([...inTests].filter((variable) => !perAccount.test(variable) && !documented.includes(variable))).toEqual([]);
  });
});

describe('metrics and log lines', () => {
  const code = productFiles.map(read).join('\n');

  test('those that docs/operating.md names exist', () => {
    const page = read('docs/operating.md');
    const metrics = [...new Set(page.match(/\bsyncline_(?:gateway|inbox)_[a-z_]+/g))].map((metric) => metric.replace(/_bucket$/, ''));
    const lines = [...page.matchAll(/^\| `([^`]+)` \| (?:warn|error) \|/gm)].map(([, line = '']) => line);
    expect([metrics.length, lines.length]).toEqual([expect.any(Number), expect.any(Number)]);
    expect(Math.min(metrics.length, lines.length)).toBeGreaterThan(4);
    expect([...metrics, ...lines].filter((word) => !code.includes(word))).toEqual([]);
  });
});

describe('docs/promises.md', () => {
  const page = read('docs/promises.md');
  // `path/of.test.ts` › "name of the test"; the name as it stands in the file.
  const proofs = [...page.matchAll(/`([\w./-]+\.test\.ts)` › "([^"|]+)"/g)].map(([, file = '', title = '']) => [file, title] as const);

  test('names tests, and every one of them exists', () => {
    expect(proofs.length).toBeGreaterThan(50);
    const missing = proofs.filter(([file, title]) => !existsSync(path.join(root, file)) || !testTitles(read(file)).includes(title));
    expect(missing).toEqual([]);
  });

  test('says open, or names a proof, in every row', () => {
    const rows = page.split('\n').filter((line) => /^\| [A-Z0-9.]+ \|/.test(line));
    expect(rows.length).toBeGreaterThan(80);
    expect(rows.filter((row) => !/\bopen\b|`/i.test(row.split('|').at(-2) ?? ''))).toEqual([]);
  });

  /** Titles of tests and groups as written. */
  function testTitles(text: string): string[] {
    return [
      ...text.matchAll(/\b(?:test|it|describe)(?:\.each)?(?:<[^(]*>)?(?:\([^'"`]*?\))?\(\s*(['"`])(.+?)\1,/g),
      ...text.matchAll(/\)\(\s*(['"`])(.+?)\1,/g),
    ].map(([, , title = '']) => title.replaceAll(/\\(['"`])/g, '$1'));
  }
});

describe('code', () => {
  const stubs = path.join(root, 'docs-stubs.d.ts');
  const blocks = pages.flatMap((page) =>
    parts(read(page)).blocks.flatMap(({ info, code }) => {
      const [, file] = /^ts file=(\S+)$/.exec(info) ?? [];
      return file === undefined ? [] : [{ file: path.join(root, file), code }];
    }),
  );

  test('there are complete blocks, each file once', () => {
    expect(blocks.length).toBeGreaterThan(10);
    expect(new Set(blocks.map(({ file }) => file)).size).toBe(blocks.length);
  });

  test('every block with `file=` compiles where it says it stands', () => {
    const texts = new Map(blocks.map(({ file, code }) => [file, code]));
    texts.set(stubs, frameworks);
    const { config } = ts.readConfigFile(path.join(root, 'tsconfig.json'), (file) => ts.sys.readFile(file)) as { config: object };
    const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
    const host = ts.createCompilerHost(options);
    const { readFile, fileExists, directoryExists } = host;
    const folders = new Set([...texts.keys()].map((file) => path.dirname(file)));
    host.readFile = (file) => texts.get(file) ?? readFile(file);
    host.fileExists = (file) => texts.has(file) || fileExists(file);
    host.directoryExists = (folder) => [...folders].some((one) => one === folder || one.startsWith(`${folder}/`)) || (directoryExists?.(folder) ?? false);
    const getSourceFile = host.getSourceFile.bind(host);
    host.getSourceFile = (file, ...rest) => {
      const text = texts.get(file);
      return text === undefined ? getSourceFile(file, ...rest) : ts.createSourceFile(file, text, rest[0]);
    };
    // An app installs the checkout under its name; here its modules are those of the repository.
    const program = ts.createProgram([...texts.keys()], { ...options, paths: { 'syncline/dist/*': [`${root}/*`] } }, host);
    const problems = [...texts.keys()].flatMap((file) => {
      const source = program.getSourceFile(file);
      return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
        ({ messageText, start }) =>
          `${path.relative(root, file)}:${source ? source.getLineAndCharacterOfPosition(start ?? 0).line + 1 : 0} ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
      );
    });
    expect(problems).toEqual([]);
  });

  /** What the examples use of frameworks that are not installed here. They were run against the real ones. */
  const frameworks = `
    declare module 'express' {
      import type { IncomingMessage, Server, ServerResponse } from 'node:http';
      type Handler = (request: IncomingMessage & { body: unknown }, response: ServerResponse) => void;
      interface App { post(path: string, handler: Handler): void; use(handler: Handler): void; listen(port: number): Server }
      function express(): App;
      namespace express { function json(): Handler }
      export = express;
    }
    declare module 'hono' {
      interface Context { req: { raw: Request } }
      export class Hono { post(path: string, handler: (context: Context) => Promise<Response>): void; readonly fetch: (request: Request) => Promise<Response> }
    }
    declare module '@hono/node-server' {
      export function serve(options: { fetch: (request: Request) => Promise<Response>; port: number }): void;
    }`;
});

test('no page names a path of somebody’s machine', () => {
  expect(pages.filter((page) => /\/(?:home|Users|root|work)\/\w/.test(read(page)))).toEqual([]);
});
