// CMake's presets: configure, build, test. Only warnings and errors of the first two are shown.
import { availableParallelism } from 'node:os';
import { run } from './files.mjs';

const quiet = { stdio: ['ignore', 'ignore', 'inherit'] };

export function cmakeBuild(preset, ...targets) {
  run('cmake', ['--preset', preset], quiet);
  run('cmake', ['--build', '--preset', preset, '-j', `${availableParallelism()}`, '--target', ...targets], quiet);
}

/** With few of the random cases where all take too long. */
export function cmakeTest(preset, { hasFewCases }) {
  run('ctest', ['--preset', preset, '-j', `${availableParallelism()}`], {
    env: { ...process.env, ...(hasFewCases ? { GRADSTEP_FEW_CASES: '1' } : {}) },
  });
}
