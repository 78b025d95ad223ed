import { missingPackages } from './install.js';

const lock = (packages: Record<string, { version?: string; optional?: boolean }>) => ({ packages });

test('nothing is missing when every package is there in its version', () => {
  const wanted = lock({ '': { version: '0.1.0' }, 'node_modules/pg': { version: '8.23.1' } });
  expect(missingPackages(wanted, lock({ 'node_modules/pg': { version: '8.23.1' } }))).toEqual([]);
});

test('a fresh clone misses all, an old install what changed', () => {
  const wanted = lock({ 'node_modules/pg': { version: '8.23.1' }, 'node_modules/zod': { version: '4.6.7' } });
  expect(missingPackages(wanted, {})).toEqual(['node_modules/pg', 'node_modules/zod']);
  expect(missingPackages(wanted, lock({ 'node_modules/pg': { version: '8.23.1' }, 'node_modules/zod': { version: '4.0.0' } }))).toEqual(['node_modules/zod']);
});

test('binaries for other systems may be missing, but not be old', () => {
  const wanted = lock({ 'node_modules/@pg/arm64': { version: '18.4.0', optional: true } });
  expect(missingPackages(wanted, {})).toEqual([]);
  expect(missingPackages(wanted, lock({ 'node_modules/@pg/arm64': { version: '17.0.0' } }))).toEqual(['node_modules/@pg/arm64']);
});
