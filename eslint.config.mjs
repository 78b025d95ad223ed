import importX from 'eslint-plugin-import-x';
import { readdirSync } from 'node:fs';
import tseslint from 'typescript-eslint';

// Who may import whom (CONTRIBUTING.md has the table): review forgets, lint does not.
const folders = ['schemas', 'connectors', 'syncs', 'workflows', 'activities', 'platform', 'ledger', 'warehouse', 'workers', 'client'];
const mayImport = {
  schemas: [],
  connectors: ['schemas'],
  syncs: ['schemas', 'connectors'],
  activities: ['schemas', 'connectors', 'syncs', 'ledger', 'warehouse', 'workflows/ids.ts', 'workflows/messages.ts'],
  platform: ['schemas', 'workflows/ids.ts'],
  ledger: ['schemas', 'platform'],
  warehouse: ['schemas', 'platform'],
  workers: ['schemas', 'connectors', 'syncs', 'workflows', 'activities', 'platform', 'ledger', 'warehouse'],
  client: [
    'schemas',
    'syncs',
    'ledger',
    'platform',
    'connectors/*/webhooks.ts',
    'connectors/webhook.ts',
    'connectors/mask.ts',
    'workflows/ids.ts',
    'workflows/messages.ts',
    'activities/prepare.ts',
  ],
};
const zones = Object.entries(mayImport).map(([target, allowed]) => ({
  target: `./${target}`,
  from: folders.filter((folder) => folder !== target && !allowed.includes(folder)).map((folder) => `./${folder}/**/*`),
  except: allowed.filter((path) => path.includes('/')).map((path) => `**/${path}`),
  message: `${target}/ may import values only from: ${allowed.join(', ') || 'nothing of ours'}`,
}));
// One vendor's folder knows nothing of another's; what they share lies beside them.
const vendors = readdirSync(new URL('connectors/', import.meta.url), { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() && !['simulator', 'identifiers'].includes(entry.name) ? [entry.name] : [],
);
for (const vendor of vendors) {
  const others = vendors.filter((name) => name !== vendor).map((name) => `./connectors/${name}/**/*`);
  zones.push({ target: `./connectors/${vendor}`, from: others, message: 'a vendor folder never imports another vendor' });
}
const restricted = (patterns) => ({ '@typescript-eslint/no-restricted-imports': ['error', { patterns }] });

export default tseslint.config(
  { ignores: ['node_modules/', 'dist/', '.syncline/', 'coverage/', 'test/replay/histories/'] },
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: { allowDefaultProject: ['*.js', '*.mjs', 'bin/*.js'] }, tsconfigRootDir: import.meta.dirname } },
    plugins: { 'import-x': importX },
    settings: { 'import-x/resolver': { node: { extensions: ['.ts', '.js'] } } },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true }],
      'import-x/no-cycle': ['error', { maxDepth: 6, ignoreExternal: true }],
      'max-lines': ['error', { max: 300 }],
      'no-console': 'error',
    },
  },
  {
    files: ['{schemas,connectors,syncs,activities,platform,ledger,warehouse,workers,client}/**/*.ts'],
    ignores: ['**/*.test.ts'],
    rules: { 'import-x/no-restricted-paths': ['error', { zones }] },
  },
  {
    // Simulators are servers; nothing else in connectors/ is.
    files: ['connectors/**/*.ts'],
    ignores: ['connectors/simulat*.ts', 'connectors/simulator/**', '**/simulator*.ts', '**/*.test.ts', 'connectors/http.ts'],
    rules: restricted([
      { regex: '^axios$', message: 'connectors/http.ts is the only way out: every call spends a permit' },
      { regex: '^fastify$', message: 'only simulators are servers' },
    ]),
  },
  {
    // The sandbox: types from anywhere, values from Temporal and itself. One stray import would pull Node code into every worker.
    files: ['workflows/**/*.ts'],
    ignores: ['**/*.test.ts'],
    rules: restricted([
      {
        regex: '^(?!@temporalio/workflow$|\\.{1,2}/).+',
        allowTypeImports: true,
        message: 'workflows import values only from @temporalio/workflow and themselves',
      },
      {
        regex: '^\\.\\./(\\.\\./)*(activities|connectors|syncs|schemas|client|workers|ledger|warehouse|platform)(/|$)',
        allowTypeImports: true,
        message: 'workflows import types only from other folders',
      },
    ]),
  },
  {
    files: ['{syncs,activities,ledger,warehouse,workers,client,platform}/**/*.ts', 'connectors/simulat*.ts', 'connectors/**/simulator*.ts'],
    ignores: ['**/*.test.ts'],
    rules: restricted([{ regex: '^axios$', message: 'connectors/http.ts is the only way out: every call spends a permit' }]),
  },
  { files: ['client/cli/**/*.ts', 'bench/**/*.ts', 'bin/*.js'], rules: { 'no-console': 'off' } },
  {
    files: ['**/*.test.ts', 'test/**/*.ts', 'bench/**/*.ts'],
    rules: {
      'max-lines': ['error', { max: 600 }],
      '@typescript-eslint/no-explicit-any': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    files: ['**/*.js', '**/*.mjs'],
    ...tseslint.configs.disableTypeChecked,
    rules: { ...tseslint.configs.disableTypeChecked.rules, '@typescript-eslint/no-require-imports': 'off' },
  },
);
