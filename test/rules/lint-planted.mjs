// Lints planted code as if it stood in the tree. A process of its own: ESLint loads its configuration as an ES module,
// which jest's sandbox can't. Reads [{ file, code }] on stdin, prints [[rule, …], …].
import { ESLint } from 'eslint';
import path from 'node:path';
import tseslint from 'typescript-eslint';

const root = path.resolve(import.meta.dirname, '../..');
// Planted code is in no tsconfig; the rules under test need no types.
const typed = Object.keys(tseslint.plugin.rules).filter((rule) => rule !== 'no-restricted-imports');
const eslint = new ESLint({
  cwd: root,
  overrideConfig: [
    {
      files: ['**/*.ts'],
      languageOptions: { parserOptions: { projectService: false, project: null } },
      rules: { ...Object.fromEntries(typed.map((rule) => [`@typescript-eslint/${rule}`, 'off'])), 'import-x/no-cycle': 'off' },
    },
  ],
});

let input = '';
for await (const chunk of process.stdin) input += chunk;
const verdicts = [];
for (const { file, code } of JSON.parse(input)) {
  const [result] = await eslint.lintText(code, { filePath: path.join(root, file) });
  verdicts.push(result.messages.map(({ ruleId, message }) => ruleId ?? message));
}
process.stdout.write(JSON.stringify(verdicts));
