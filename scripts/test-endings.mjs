// `npm run test:endings [times]`: threads and processes that end in the middle of asynchronous steps, each way so many
// times (default: 200). `npm test` does the same a few times, and `npm run test:asan` with the sanitizers.
import { run } from './files.mjs';

const times = Number(process.argv[2] ?? 200);
if (!Number.isInteger(times) || times < 1) {
  console.error(`times must be a whole number from 1, got ${process.argv[2]}`);
  process.exit(1);
}
run(process.execPath, ['scripts/build.mjs']);
run(process.execPath, ['node_modules/mocha/bin/mocha.js', '--no-config', 'build/ts/test/endings.test.js'], {
  env: { ...process.env, GRADSTEP_ENDINGS: `${times}` },
});
