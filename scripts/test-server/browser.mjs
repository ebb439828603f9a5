// The tests of examples/server's page in Debian's Chromium: `node scripts/test-server/browser.mjs [file...]`. With
// `--screenshots` it makes the pictures in docs/server instead. Part of `npm run test:server`.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { listFiles, root, run } from '../files.mjs';

const tests = 'test/server/browser';
const words = process.argv.slice(2);

run(process.execPath, ['scripts/build.mjs']);
const { tools } = await import('../../test/server/browser/kit.mjs');
const { install } = createRequire(import.meta.url)('../../build/ts/bench/peers/installed.js');
if (!installChromium() || !install(join(root, tests), tools, 'what drives a browser (15 MB')) process.exit(1);

if (words.includes('--screenshots')) {
  run(process.execPath, [join(tests, 'screenshots.mjs')]);
} else {
  const files = words.length > 0 ? words : listFiles(tests, ['.test.mjs']);
  run(process.execPath, ['node_modules/mocha/bin/mocha.js', '--no-config', '--timeout', '120000', ...files]);
}

/** @returns whether it is there. */
function installChromium() {
  if (existsSync(process.env.CHROMIUM ?? '/usr/bin/chromium')) return true;
  console.error('installing Chromium');
  const apt = (...args) => spawnSync('apt-get', args, { stdio: ['ignore', 'ignore', 'inherit'] }).status === 0;
  process.env.DEBIAN_FRONTEND = 'noninteractive';
  if (apt('update', '-qq') && apt('install', '-y', '-qq', '--no-install-recommends', 'chromium')) return true;
  console.error('Chromium cannot be installed; CHROMIUM names the program of another');
  return false;
}
