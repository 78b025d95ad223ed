import { workflowBundle } from '../../workers/bundle';

// Every worker loads this code into its sandbox, and every import in it is one more way to break determinism.
test('the workflow bundle holds our workflows and Temporal, nothing else, in under 0.8 MB', async () => {
  const { code } = await workflowBundle();
  // The bundler keeps module paths as comments or ids; source maps are appended inline and would count twice.
  const own = code.split('//# sourceMappingURL')[0] ?? '';
  for (const stranger of ['node_modules/zod', 'node_modules/axios', 'node_modules/pg/', '/connectors/', '/ledger/', '/platform/']) {
    expect(own.includes(stranger) ? `the bundle contains ${stranger}` : 'clean').toBe('clean');
  }
  expect(own).toContain('recordSync');
  expect(Buffer.byteLength(own) / 1e6).toBeLessThan(0.8);
}, 60_000);
