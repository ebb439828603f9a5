// `npm run test:server [load|browser]`: the training server of examples/server under load, in a process of its own, and its
// page in a browser. What asks it is installed outside of node_modules. (What it answers, and that it ends and starts again,
// is tested by npm test.)
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root, run } from './files.mjs';

const [word] = process.argv.slice(2);
if (word !== undefined && word !== 'load' && word !== 'browser') {
  console.error(`npm run test:server [load|browser], got ${word}`);
  process.exit(1);
}
if (word !== 'load') {
  const { status } = spawnSync(process.execPath, ['scripts/test-server/browser.mjs'], { stdio: 'inherit' });
  process.exitCode = status === 0 ? 0 : 1;
}
if (word === 'browser') process.exit();

run(process.execPath, ['scripts/build.mjs']);
const require = createRequire(import.meta.url);
const { install } = require('../build/ts/bench/peers/installed.js');
const tools = join(root, 'build', 'test-server');
if (!install(join(root, 'test/server/load'), tools, 'what asks the training server (10 MB')) process.exit(1);
const autocannon = createRequire(join(tools, 'package.json'))('autocannon');
const { tests } = await import('../test/server/load/load.mjs');

const folder = mkdtempSync(join(tmpdir(), 'gradstep-server-'));
let passed = 0;
let failed = 0;
try {
  for (const [name, test] of Object.entries(tests)) await tried(name, test);
} finally {
  rmSync(folder, { recursive: true });
}
console.log(`\n${passed} passed, ${failed} failed`);
if (failed > 0 || passed === 0) process.exitCode = 1;

async function tried(name, test) {
  const servers = [];
  const lines = [];
  try {
    const start = async (args) => {
      const server = await startServer(join(folder, String(passed + failed)), args);
      servers.push(server);
      return server;
    };
    await test({ start, autocannon, say: (line) => lines.push(line) });
    passed++;
    console.log([`  ✔ ${name}`, ...lines].join('\n      '));
  } catch (error) {
    failed++;
    console.log([`  ✘ ${name}`, ...lines, error.stack].join('\n      '));
  } finally {
    for (const { child } of servers) child.kill('SIGKILL');
  }
}

/** Starts the example on a free port. @returns its process and URL when it listens. */
function startServer(checkpoints, args) {
  const script = join(root, 'build/ts/examples/server.js');
  const child = spawn(process.execPath, [script, '--port', '0', '--checkpoints', checkpoints, ...args]);
  return new Promise((resolve, reject) => {
    let text = '';
    const hear = (chunk) => {
      text += chunk;
      const url = /http:\S+/.exec(text)?.[0];
      if (url !== undefined) resolve({ child, url });
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.on('exit', () => reject(new Error(text)));
  });
}
