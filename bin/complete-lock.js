// Completes package-lock.json for every platform: `node bin/complete-lock.js`, after each `npm install`.
//
// A registry mirror may not carry the optional binaries of other platforms; npm then leaves them out of the lock it writes,
// and a newer npm refuses that lock with "Missing: … from lock file". Their entries are added here without integrity hashes,
// which npm fills in where it can fetch them.
'use strict';
const { readFileSync, writeFileSync } = require('node:fs');
const path = require('node:path');

const file = path.resolve(__dirname, '../package-lock.json');
const systems = { darwin: 'darwin', linux: 'linux', win32: 'win32', windows: 'win32', android: 'android', freebsd: 'freebsd', openharmony: 'openharmony' };
const processors = ['arm64', 'x64', 'arm', 'ia32', 'ppc64', 's390x', 'riscv64', 'loong64', 'mips64el'];

const lock = JSON.parse(readFileSync(file, 'utf8'));
const { packages } = lock;

/** As Node resolves it: in the dependent's own node_modules, or in any above. */
function isLocked(from, name) {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    if (packages[`${folder ? `${folder}/` : ''}node_modules/${name}`]) return true;
    if (!folder) return false;
  }
}

/** What a package like `@esbuild/linux-arm64` is for, from its name. */
function platformOf(name) {
  const parts = name.split('/').pop().split('-');
  const os = parts.map((part) => systems[part]).find(Boolean);
  const cpu = parts.find((part) => processors.includes(part));
  if (!os || !cpu) return null;
  const libc = parts.some((part) => part.startsWith('musl')) ? 'musl' : parts.includes('gnu') ? 'glibc' : null;
  return { cpu: [cpu], os: [os], ...(libc ? { libc: [libc] } : {}) };
}

let added = 0;
for (const [from, entry] of Object.entries({ ...packages })) {
  if (from === '') continue;
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const platform = platformOf(name);
    if (isLocked(from, name) || !platform || !/^\d/.test(version)) continue;
    packages[`node_modules/${name}`] = { version, ...(entry.dev ? { dev: true } : {}), optional: true, ...platform };
    added++;
  }
}
lock.packages = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${added} platform packages added`);
