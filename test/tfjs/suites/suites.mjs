// TensorFlow.js's own tests, each suite bundled into one file. Those of tfjs-core come with its package; those of tfjs-layers
// came last with 3.9.0, in its source maps, and run against the version that is installed.
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { build } from 'esbuild';
import { listFiles, root, writeFile } from '../../../scripts/files.mjs';

const peers = join(root, 'build/bench/peers/node_modules');
const core = join(peers, '@tensorflow/tfjs-core/dist');
const layers = join(peers, '@tensorflow/tfjs-layers/dist');
/** Where what the suites need besides TensorFlow.js itself is installed. */
export const tools = join(root, 'build/tfjs/tools');
const testsOfLayers = join(root, 'build/tfjs/layers');

const suites = {
  optimizers: () => listFiles(join(core, 'optimizers'), ['_test.js']),
  core: () => listFiles(core, ['_test.js']),
  layers: () => [...unpackTestsOfLayers(), join(layers, 'index.js')],
};

/** Bundles a suite. @returns the file, to be run by child.cjs. */
export async function bundle(suite) {
  const outfile = join(root, `build/tfjs/${suite}.cjs`);
  const tests = suites[suite]();
  await build({
    stdin: { contents: entry(tests), resolveDir: peers },
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    mainFields: ['module', 'main'],
    nodePaths: [peers, join(tools, 'node_modules')],
    plugins: [fromInstalledLayers],
    logLevel: 'error',
  });
  return outfile;
}

/** The backends first, then what child.cjs does with them, then the tests. */
const entry = (tests) => `
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import '@tensorflow/tfjs-backend-cpu';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { setTestEnvs } from '@tensorflow/tfjs-core/dist/jasmine_util';
setWasmPaths(${JSON.stringify(`${join(peers, '@tensorflow/tfjs-backend-wasm/dist')}/`)});
globalThis.prepareSuite(tf, setTestEnvs);
${tests.map((file) => `require(${JSON.stringify(file)});`).join('\n')}
`;

/** Writes the sources out of the maps. What they load models with has another name by now. */
function unpackTestsOfLayers() {
  const folder = join(tools, 'node_modules/@tensorflow/tfjs-layers/dist');
  return listFiles(folder, ['_test.js.map']).map((map) => {
    const { sourcesContent } = JSON.parse(readFileSync(map, 'utf8'));
    const file = join(testsOfLayers, map.slice(folder.length).replace('.js.map', '.ts'));
    writeFile(file, sourcesContent[0].replaceAll('loadLayersModelInternal', 'loadLayersModel'));
    return file;
  });
}

/** What these tests import lies where it does in the sources: beside them, or else in the package. */
const fromInstalledLayers = {
  name: 'installed-layers',
  setup: ({ onResolve }) =>
    onResolve({ filter: /^\./ }, ({ path, importer }) => {
      if (!importer.startsWith(testsOfLayers)) return undefined;
      const wanted = resolve(dirname(importer), path);
      if (path.endsWith('_test')) return { path: `${wanted}.ts` };
      if (path.endsWith('package.json')) return { path: join(layers, '..', 'package.json') };
      return { path: `${layers}${wanted.slice(testsOfLayers.length)}.js` };
    }),
};
