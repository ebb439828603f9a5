// The types, in programs of every TypeScript that is meant to work, none of whose checks is turned off.
import { addLibrary, expectMatch, expectNoMatch, install, project, run, tarball, write } from './kit.mjs';

const versions = [
  '5.0.4',
  '5.1.6',
  '5.2.2',
  '5.3.3',
  '5.4.5',
  '5.5.4',
  '5.6.3',
  '5.7.3',
  '5.8.3',
  '5.9.3',
  '6.0.3',
  '7.0.2',
];
const resolutions = { node10: 'commonjs', node16: 'node16', nodenext: 'nodenext', bundler: 'esnext' };
const alias = (version) => `typescript-${version}`;

const code = `
import { AdamOptimizer, Variable, variable, tensor, ops, type Tensor as T } from 'gradstep';
import { AdamOptimizer as Adam, type Tensor } from 'gradstep/linux-x64';
import { restoreCheckpoint, saveCheckpoint, toTorch, type CheckpointParts, type SavedCheckpoint } from 'gradstep/checkpoint';
import { dense, sequential, type LayerLike } from 'gradstep/layers';
import { readEvents, SummaryWriter } from 'gradstep/tensorboard';
import { Metrics, TrainingMetrics, type MetricsHandle } from 'gradstep/metrics';
import { trainInWorkers, type Training } from 'gradstep/parallel';
import { mpi, MpiCommunicator, type MpiHandle } from 'gradstep/mpi';
import { adamW, type GradstepOptimizer } from 'gradstep/tfjs'; // whose types are no TensorFlow.js's here
import { openSafetensors, parseSafetensors, serializeSafetensors, type SafetensorsFile } from 'gradstep/safetensors';

const w: Variable = variable([1, 2]);
const optimizer: Adam = new AdamOptimizer({ learningRate: () => 0.1 });
const isDone: boolean = optimizer.applyGradients([[new Float32Array(2), w]]);
const t: Tensor = ops.add(tensor([1]), w);
const same: T = t;
w[Symbol.dispose]();
// @ts-expect-error: no such option
new AdamOptimizer({ rate: 1 });
const layers: LayerLike[] = [dense({ inputs: 2, units: 1, activation: ops.relu })];
export const y: Tensor = sequential(layers).call(tensor([[1, 2]]), { training: true });
export const events = readEvents(new SummaryWriter('runs', { flushSeconds: 1 }).path);
const inside: GradstepOptimizer = adamW({ learningRate: 0.1, globalClipNorm: 1 });
export const name: string = inside.getClassName();
const bytes: Uint8Array = serializeSafetensors({ w, t, raw: { data: new Uint16Array(2), dtype: 'BF16' } });
export const floats: Float32Array = parseSafetensors(bytes).read('w', { dtype: 'F32' });
// @ts-expect-error: no such dtype
parseSafetensors(bytes).read('w', { dtype: 'float32' });
export async function wide(path: string): Promise<BigInt64Array> {
  const file: SafetensorsFile = await openSafetensors(path);
  return file.read('i', { into: new BigInt64Array(1) });
}
export async function save(folder: string): Promise<SavedCheckpoint> {
  const parts: CheckpointParts = { variables: [w], optimizer };
  const step: number | undefined = (await restoreCheckpoint(folder, parts, { partial: true }))?.step;
  // @ts-expect-error: no such option
  await saveCheckpoint(folder, parts, { kept: 1 });
  return saveCheckpoint(folder, { ...parts, metadata: { floats: [toTorch({ variables: [w], optimizer }).size] } }, { step: step ?? 0 });
}
export async function first(): Promise<number> {
  const training: Training = trainInWorkers({ module: './replica.js', variables: [w], optimizer, steps: 1, shares: 2 });
  training.workers[0]!.on('message', (message: string) => message.length);
  return training.finished.then((steps) => steps + training.workers[0]!.threadId);
}
const handle: MetricsHandle = Metrics.create({ threads: 2 }).share();
const metrics = Metrics.from(handle).withLabels({ worker: 1 });
const made: { loss: number } = new TrainingMetrics(metrics).timeStep(() => ({ loss: 1, norm: 2 }), { clipNorm: 5 });
// @ts-expect-error: no help
metrics.counter('requests_total', {});
export async function ranks(handle: MpiHandle): Promise<number> {
  const communicator: MpiCommunicator = await mpi.init({ warnAfter: 30 });
  communicator.startAllReduce(new Float32Array(new SharedArrayBuffer(8)), { reductionType: 'MEAN' }).wait();
  // @ts-expect-error: no such option
  await mpi.init({ timeOut: 3 });
  return MpiCommunicator.join(handle).size;
}
export const page: [string, number] = [metrics.text(), made.loss];
export const answer: [number, boolean] = [same.item(), isDone];
`;
/** gradstep/tfjs where TensorFlow.js's types are not installed. */
const codeOfTfjs = `
import { adam, adamW, clipByGlobalNorm, type GradstepOptimizer } from 'gradstep/tfjs';

const optimizer: GradstepOptimizer = adamW({ learningRate: 0.1, globalClipNorm: 1 });
const rate: number = optimizer.learningRate;
optimizer.applyGradients({});
const [, norm] = clipByGlobalNorm([], 1);
// @ts-expect-error: no such option
adam({ rate: 1 });
export const answer: [number, number] = [rate, norm.size];
`;
/** A program of TensorFlow.js's with its types. */
const programOfTfjs = `
import * as tf from '@tensorflow/tfjs-core';
import { layers, loadLayersModel, sequential, type LayersModel } from '@tensorflow/tfjs-layers';
import { adam, adamW, clipByGlobalNorm, globalNorm, sgd } from 'gradstep/tfjs';

const model: LayersModel = sequential({ layers: [layers.dense({ units: 1, inputShape: [1] })] });
model.compile({ optimizer: adamW({ learningRate: 0.1, globalClipNorm: 1 }), loss: 'meanSquaredError' });
model.compile({ optimizer: adam(), loss: tf.losses.meanSquaredError });
const optimizer: tf.Optimizer = sgd({ learningRate: () => 0.1 });
model.optimizer = adam.from(model.optimizer, { learningRate: 0.1 });
const w: tf.Variable = tf.variable(tf.tensor1d([1, 2]));
const cost: tf.Scalar | null = optimizer.minimize(() => tf.sum(w) as tf.Scalar, true, [w]);
const { grads } = tf.variableGrads(() => tf.sum(w) as tf.Scalar);
const [clipped, norm] = clipByGlobalNorm(Object.values(grads), 1, { useNorm: globalNorm([w]) });
optimizer.applyGradients({ [w.name]: clipped[0]! });
optimizer.applyGradients(grads);
adamW({ groups: [{ variables: [w], learningRate: 0.01 }] }).setLearningRate(0.5);
// @ts-expect-error: no such option
adam({ rate: 1 });
export const answer: [tf.Tensor, number, typeof cost, typeof loadLayersModel] = [clipped[0]!, norm.size, cost, loadLayersModel];
`;
const using = `
import { variable } from 'gradstep';
{
  using w = variable([1]);
  w.data.fill(2);
}
`;

export function prepare(names) {
  const compilers = versions
    .filter((version) => names.some((name) => name.includes(version)))
    .map((version) => `${alias(version)}@npm:typescript@${version}`);
  install('typescript', [...compilers, '@types/node@20.19.43', '@arethetypeswrong/cli@0.18.5', 'publint@0.3.25']);
  if (!names.some((name) => name.includes(ofTfjs))) return;
  install('typescript-tfjs', [...compilers, '@tensorflow/tfjs-core@4.22.0', '@tensorflow/tfjs-layers@4.22.0']);
}

const ofTfjs = "TensorFlow.js's types";

/** A project with the library in it, for one compiler and any options. */
function compiler(version, files, group = 'typescript') {
  const place = project(group, version, files);
  addLibrary(place);
  return (options) => {
    const strict = { strict: true, skipLibCheck: false, noEmit: true, target: 'es2022' };
    write(place, { 'tsconfig.json': { compilerOptions: { ...strict, ...options } } });
    run(place, [process.execPath, `../../node_modules/${alias(version)}/${bin(version)}`, '-p', '.']);
  };
}

const bin = (version) => (Number(version.split('.')[0]) >= 7 ? 'bin/tsc' : 'lib/tsc.js');

/** TypeScript 6 calls node10 deprecated, 7 has it no more. */
function isOffered(version, resolution) {
  return resolution !== 'node10' || Number(version.split('.')[0]) < 6;
}

export const tests = {};
for (const version of versions) {
  tests[`TypeScript ${version} resolves modules in every way, with and without the types of Node`] = () => {
    const compile = compiler(version, {
      'main.ts': code,
      'module.mts': code,
      'tfjs.ts': codeOfTfjs,
      'module-tfjs.mts': codeOfTfjs,
    });
    const typeRoots = ['../../node_modules/@types'];
    for (const [moduleResolution, module] of Object.entries(resolutions)) {
      if (isOffered(version, moduleResolution)) compile({ module, moduleResolution, types: [], typeRoots });
    }
    compile({ module: 'node16', moduleResolution: 'node16', types: ['node'], typeRoots });
  };
  tests[`TypeScript ${version} takes optimizers of gradstep/tfjs for Optimizers by ${ofTfjs}`] = () => {
    const compile = compiler(version, { 'main.ts': programOfTfjs, 'module.mts': programOfTfjs }, 'typescript-tfjs');
    // Its declarations have errors of their own.
    const common = { types: [], skipLibCheck: true, lib: ['es2022', 'dom'] };
    for (const [moduleResolution, module] of Object.entries(resolutions)) {
      if (isOffered(version, moduleResolution)) compile({ module, moduleResolution, ...common });
    }
  };
  if (version >= '5.2') {
    tests[`TypeScript ${version} understands using`] = () => {
      const compile = compiler(version, { 'main.ts': using });
      compile({ module: 'node16', moduleResolution: 'node16', types: [], lib: ['es2022', 'esnext.disposable'] });
    };
  }
}

tests['attw finds nothing wrong with any entry'] = () => {
  const output = run(project('typescript', 'attw'), `attw ${tarball()} --format table-flipped`);
  expectMatch(output, /No problems found/);
};

tests['publint finds nothing to say'] = () => {
  const place = project('typescript', 'publint');
  addLibrary(place);
  const output = run(place, 'publint node_modules/gradstep --strict --pack false');
  expectMatch(output, /All good/);
  expectNoMatch(output, /warning|suggestion|error/i);
};
