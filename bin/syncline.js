#!/usr/bin/env node
// The command line: from the TypeScript source in a checkout, else from the build.
'use strict';
const { existsSync } = require('node:fs');
const Module = require('node:module');
const path = require('node:path');

const SOURCE = path.join(__dirname, '..', 'client', 'cli', 'main.ts');
const BUILD = path.join(__dirname, '..', 'dist', 'client', 'cli', 'main.js');

/** Registers tsx in this process, since a second one would double the start-up time; false when it is not installed. */
function canRunTypeScript() {
  try {
    require('tsx/cjs');
    return true;
  } catch (error) {
    if (error.code === 'MODULE_NOT_FOUND') return false;
    throw error;
  }
}

function entry() {
  if (existsSync(SOURCE) && canRunTypeScript()) return SOURCE;
  if (!existsSync(BUILD)) {
    console.error('Syncline is neither installed nor built: run `npm ci` (or `npm start`, which does).');
    process.exit(1);
  }
  process.setSourceMapsEnabled(true);
  return BUILD;
}

process.argv[1] = entry();
Module.runMain(process.argv[1]); // as `node FILE` would, so that `require.main` is the entry
