// Projects follow the pyramid in CONTRIBUTING.md: what each one needs decides where a test lives.
const base = {
  testEnvironment: 'node', // the Temporal SDK refuses any other
  transform: { '^.+\\.(ts|js)$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'commonjs' } }] },
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.syncline/'],
  // Not Jest's 5 s: hundreds of schedules against a database, or minutes of virtual time, take longer where others use the machine.
  setupFilesAfterEnv: ['<rootDir>/test/support/patience.ts'],
};
const project = (displayName, testMatch, extra = {}) => ({ ...base, displayName, testMatch, ...extra });

module.exports = {
  projects: [
    project('unit', ['<rootDir>/{schemas,syncs,workflows,activities,platform,workers,client,bin}/**/*.test.ts', '<rootDir>/test/{rules,support}/**/*.test.ts']),
    project('vendor', ['<rootDir>/connectors/**/*.test.ts', '<rootDir>/test/conformance/**/*.test.ts']),
    project('ledger', ['<rootDir>/ledger/**/*.test.ts'], {
      globalSetup: '<rootDir>/test/support/global-postgres.ts',
      globalTeardown: '<rootDir>/test/support/global-teardown.ts',
    }),
    project('warehouse', ['<rootDir>/warehouse/**/*.test.ts'], {
      globalSetup: '<rootDir>/test/support/global-postgres.ts',
      globalTeardown: '<rootDir>/test/support/global-teardown.ts',
    }),
    project('workflow', ['<rootDir>/test/workflows/**/*.test.ts'], { globalSetup: '<rootDir>/test/support/global-time-skipping.ts' }),
    project('replay', ['<rootDir>/test/replay/**/*.test.ts']),
    project('e2e', ['<rootDir>/test/e2e/**/*.test.ts'], {
      globalSetup: '<rootDir>/test/support/global-servers.ts',
      globalTeardown: '<rootDir>/test/support/global-teardown.ts',
    }),
    project('chaos', ['<rootDir>/test/chaos/**/*.test.ts'], {
      globalSetup: '<rootDir>/test/support/global-servers.ts',
      globalTeardown: '<rootDir>/test/support/global-teardown.ts',
    }),
  ],
};
