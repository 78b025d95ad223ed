// Installs the npm packages of a fresh clone. Plain Node without dependencies: it runs before there are any.
'use strict';
const { spawnSync } = require('node:child_process');
const { readFileSync } = require('node:fs');
const path = require('node:path');

const ROOT = path.resolve(__dirname, '..');

/**
 * The packages that package-lock.json asks for and node_modules lacks or has in another version. By content, not by the
 * files' times: git sets those to the moment of the checkout.
 * @param {{ packages?: Record<string, { version?: string, optional?: boolean }> }} wanted package-lock.json
 * @param {{ packages?: Record<string, { version?: string }> }} installed node_modules/.package-lock.json, npm's own record
 * @returns {string[]}
 */
function missingPackages(wanted, installed) {
  return Object.entries(wanted.packages ?? {})
    .filter(([folder, { version, optional }]) => {
      const found = installed.packages?.[folder];
      if (folder === '' || (optional && !found)) return false; // optional: binaries for other systems
      return found?.version !== version;
    })
    .map(([folder]) => folder);
}

/** Runs `npm ci` when node_modules does not match package-lock.json; ends the process, with advice, when that fails. */
function ensureInstalled() {
  refuseOldNode();
  const wanted = readJson('package-lock.json');
  if (!wanted) fail('package-lock.json is missing or broken: is this a whole clone?');
  const installed = readJson('node_modules/.package-lock.json');
  const missing = missingPackages(wanted, installed ?? {});
  if (missing.length === 0) return;
  console.error(installed ? `${missing.length} npm packages are missing or outdated: installing …` : 'Fresh clone: installing npm packages …');
  const startedAt = Date.now();
  // npm's words go to stderr: stdout belongs to the command that follows.
  const [command, ...prefix] = npmCommand();
  const { status, signal, error } = spawnSync(command, [...prefix, 'ci', '--no-audit', '--no-fund'], {
    cwd: ROOT,
    stdio: ['inherit', 2, 2],
    shell: process.platform === 'win32',
  });
  if (signal) process.exit(130);
  if (error) fail(`npm could not be run (${error.message}). Install npm, then run this again.`);
  if (status !== 0) fail(`\`npm ci\` failed (exit code ${status}); its reasons are above. Is the npm registry reachable? Then run this again.`);
  console.error(`npm packages installed in ${Math.round((Date.now() - startedAt) / 1000)} s`);
}

/** Under `npm start`, that very npm; else the one on the PATH. */
function npmCommand() {
  const running = process.env.npm_execpath;
  return running?.endsWith('npm-cli.js') ? [process.execPath, running] : ['npm'];
}

function refuseOldNode() {
  const { engines } = readJson('package.json') ?? {};
  const [, major, minor] = /(\d+)\.(\d+)/.exec(engines?.node ?? '') ?? [];
  const [ourMajor, ourMinor] = process.versions.node.split('.').map(Number);
  if (ourMajor > Number(major) || (ourMajor === Number(major) && ourMinor >= Number(minor)) || major === undefined) return;
  fail(`Syncline needs Node ${engines.node}, and this is ${process.version}.`);
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(path.join(ROOT, file), 'utf8'));
  } catch {
    return undefined;
  }
}

function fail(message) {
  console.error(message);
  process.exit(1);
}

module.exports = { ensureInstalled, missingPackages };
