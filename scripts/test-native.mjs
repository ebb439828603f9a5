// `npm run test:native` builds and runs the native tests; `npm run test:native -- tsan asan-ubsan` with these presets.
// Sanitizers and emulation try a part of the random cases, but for `npm run test:native -- full tsan`.
import { cmakeBuild, cmakeTest } from './cmake.mjs';
import { needTools } from './tools.mjs';

const words = process.argv.slice(2);
const presets = words.filter((word) => word !== 'full');
needTools('cmake', 'make', 'g++');
for (const preset of presets.length > 0 ? presets : ['release']) {
  console.log(`gradstep: native tests, ${preset}`);
  cmakeBuild(preset, 'all');
  cmakeTest(preset, { hasFewCases: !['release', 'clang'].includes(preset) && !words.includes('full') });
}
