// CMake's presets: configure, build, test. Only warnings and errors of the first two are shown.
import { availableParallelism } from 'node:os';
import { run } from './files.mjs';

const quiet = { stdio: ['ignore', 'ignore', 'inherit'] };

export function cmakeBuild(preset, ...targets) {
  run('cmake', ['--preset', preset], quiet);
  run('cmake', ['--build', '--preset', preset, '-j', `${availableParallelism()}`, '--target', ...targets], quiet);
}

export function cmakeTest(preset) {
  run('ctest', ['--preset', preset]);
}
