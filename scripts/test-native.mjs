// `npm run test:native` builds and runs the native tests; `npm run test:native -- tsan asan-ubsan` with these presets.
import { cmakeBuild, cmakeTest } from './cmake.mjs';
import { needTools } from './tools.mjs';

const presets = process.argv.slice(2);
needTools('cmake', 'make', 'g++');
for (const preset of presets.length > 0 ? presets : ['release']) {
  console.log(`gradstep: native tests, ${preset}`);
  cmakeBuild(preset, 'all');
  cmakeTest(preset);
}
