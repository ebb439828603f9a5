// `npm run build:cmake`: the addon from CMakeLists.txt by way of cmake-js, put where node-gyp's would be.
import { availableParallelism } from 'node:os';
import { installAddon } from './addon.mjs';
import { run } from './files.mjs';
import { needTools } from './tools.mjs';

const folder = 'build/cmake/addon';
const options = [
  '--out',
  folder,
  '--target',
  'gradstep',
  '--parallel',
  `${availableParallelism()}`,
  '--log-level',
  'error',
];

needTools('cmake', 'make', 'g++');
run(process.execPath, ['node_modules/cmake-js/bin/cmake-js', 'build', ...options], {
  stdio: ['ignore', 'ignore', 'inherit'],
});
installAddon(`${folder}/gradstep.node`);
