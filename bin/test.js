// `npm test`: types, lint and every jest project, to the end even when one fails. `--full` runs what is too long for
// every change. `npm test -- unit ledger` runs only the steps named. Results as JSON: .syncline/test-results/.
'use strict';
const { spawn } = require('node:child_process');
const { mkdirSync, readFileSync, rmSync } = require('node:fs');
const path = require('node:path');
const { ensureInstalled } = require('./install.js');

const ROOT = path.resolve(__dirname, '..');
const RESULTS = path.join(ROOT, '.syncline', 'test-results');
const tool = (...parts) => path.join(ROOT, 'node_modules', ...parts);

const check = (name, file, args) => ({ name, args: [file, ...args], minutes: 5 });
// Real servers and a global clock (the time-skipping server's) are shared: those projects run one file at a time.
const jest = (name, { workers = 1, minutes = 10 } = {}) => ({
  name,
  minutes,
  results: path.join(RESULTS, `${name}.json`),
  args: [
    tool('jest', 'bin', 'jest.js'),
    ...['--selectProjects', name, '--json', `--outputFile=${path.join(RESULTS, `${name}.json`)}`],
    workers === 1 ? '--runInBand' : `--maxWorkers=${workers}`,
  ],
});

const STEPS = [
  check('types', tool('typescript', 'bin', 'tsc'), ['--noEmit']),
  check('lint', tool('eslint', 'bin', 'eslint.js'), ['.']),
  jest('unit', { workers: 2 }),
  jest('vendor', { workers: 2 }),
  jest('ledger', { workers: 2 }),
  jest('warehouse', { workers: 2 }),
  jest('workflow'),
  jest('replay'),
  jest('e2e', { minutes: 15 }),
];
const FULL = [jest('chaos', { minutes: 40 })];

main(process.argv.slice(2)).then((code) => process.exit(code));

async function main(args) {
  const names = args.filter((arg) => arg !== '--full');
  const unknown = names.find((name) => ![...STEPS, ...FULL].some((step) => step.name === name));
  if (unknown !== undefined) return usage(unknown);
  const planned = args.includes('--full') ? FULL : STEPS;
  const steps = names.length > 0 ? [...STEPS, ...FULL].filter((step) => names.includes(step.name)) : planned;

  ensureInstalled();
  rmSync(RESULTS, { recursive: true, force: true });
  mkdirSync(RESULTS, { recursive: true });
  const ends = [];
  for (const step of steps) {
    console.error(`\n== ${step.name}`);
    const end = await runStep(step);
    ends.push(end);
    if (end.interrupted) return 130;
  }
  return report(ends);
}

function usage(unknown) {
  console.error(`There is no step "${unknown}". Steps: ${[...STEPS, ...FULL].map((step) => step.name).join(', ')}.`);
  return 2;
}

async function runStep(step) {
  const startedAt = Date.now();
  const { code, signal, late } = await run(step);
  const seconds = (Date.now() - startedAt) / 1000;
  const interrupted = !late && (signal === 'SIGINT' || signal === 'SIGTERM' || code === 130);
  const counts = step.results ? jestCounts(step) : { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
  const note = late ? `stopped after ${step.minutes} minutes` : counts.note;
  // A jest that failed without a failed test (a crash, a teardown, a leak) has failed all the same.
  if (code !== 0 && counts.failed === 0) counts.failed = 1;
  return { name: step.name, seconds, interrupted, ...counts, note };
}

function run({ args, minutes }) {
  return new Promise((resolve) => {
    // In our process group: Ctrl-C reaches it too, and we wait for it to end in good order.
    const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] });
    let late = false;
    const limit = setTimeout(() => {
      late = true;
      child.kill('SIGKILL'); // the servers it started notice and end by themselves
    }, minutes * 60_000);
    const pass = (signal) => child.kill(signal);
    process.on('SIGTERM', pass);
    process.on('SIGINT', ignore);
    child.on('close', (code, signal) => {
      clearTimeout(limit);
      process.off('SIGTERM', pass);
      process.off('SIGINT', ignore);
      resolve({ code, signal, late });
    });
  });
}

function ignore() {
  // Ctrl-C: the child got it as well, and its end says so.
}

function jestCounts({ results }) {
  let json;
  try {
    json = JSON.parse(readFileSync(results, 'utf8'));
  } catch {
    return { passed: 0, failed: 1, skipped: 0, note: 'no tests found, or jest did not get to the end' };
  }
  const skipped = json.numPendingTests + json.numTodoTests;
  if (json.numTotalTests === skipped && json.numRuntimeErrorTestSuites === 0) return { passed: 0, failed: 1, skipped, note: 'no tests found' };
  // A file that cannot be loaded has no tests to count: it is one failure.
  return { passed: json.numPassedTests, failed: json.numFailedTests + json.numRuntimeErrorTestSuites, skipped };
}

function report(ends) {
  const sum = (field) => ends.reduce((total, end) => total + end[field], 0);
  console.log('');
  for (const { name, seconds, passed, failed, note } of ends) {
    const verdict = failed === 0 ? 'ok  ' : 'FAIL';
    console.log(`${verdict} ${name.padEnd(9)} ${seconds.toFixed(1).padStart(6)} s  ${passed} passed, ${failed} failed${note ? ` (${note})` : ''}`);
  }
  console.log(`all in ${Math.round(sum('seconds'))} s`);
  const skipped = sum('skipped');
  console.log(`${sum('passed')} passed, ${sum('failed')} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  return sum('failed') === 0 ? 0 : 1;
}
