// An optimizer whose slots are divided by ranks that are processes: the bytes of one process, and checkpoints for another number
// of ranks. Arguments: a folder, and of how many ranks the checkpoint is that it has; with none it is saved there.
import {
  AdamOptimizer,
  clipByGlobalNorm,
  compileStep,
  createGlobalStep,
  GradientAccumulator,
  ops,
  runtime,
  tensor,
  variable,
} from 'gradstep';
import { restoreCheckpoint, saveCheckpoint } from 'gradstep/checkpoint';
import { mpi } from 'gradstep/mpi';
import { DistributedOptimizer } from 'gradstep/parallel';

runtime.threads = 1;
const communicator = await mpi.init();
const { rank, size } = communicator;
const [folder, savedBy] = process.argv.slice(2);
const steps = 3;
const [rows, width] = [8, 60];

const valuesOf = (seed, length) => Float32Array.from({ length }, (_, i) => Math.sin(7.3 * seed + 1.7 * i));

const batchOf = (number) => ({
  x: tensor(valuesOf(100 + number, rows * width), [rows, width]),
  labels: Int32Array.from({ length: rows }, (_, i) => (number * 310 + i * i) % 900),
});

function model() {
  const table = variable(valuesOf(1, 900 * width), { shape: [900, width], name: 'table' });
  const w = variable(valuesOf(2, width * 700), { shape: [width, 700], name: 'w' });
  const b = variable(valuesOf(3, 700), { name: 'b' });
  const lossOf = ({ x, labels }) => {
    const y = ops.reluLayer(ops.add(x, ops.gather(table, labels)), w, b);
    return ops.reduceMean(ops.square(y));
  };
  return {
    variables: [table, w, b],
    globalStep: createGlobalStep(),
    lossOf,
    loss: (number) => lossOf(batchOf(number)),
  };
}

const bytesOf = (parts) =>
  parts
    .flatMap((part) => part.state())
    .map(({ memory }) => Buffer.from(memory.buffer, memory.byteOffset, memory.byteLength).toString('hex'));

/** One process: `of` says of how many ranks each step is. */
function alone(of) {
  const own = model();
  const optimizer = new AdamOptimizer({ learningRate: 0.01 });
  of.forEach((ranks, step) => {
    const accumulator = new GradientAccumulator();
    for (let share = 0; share < ranks; share++) {
      accumulator.add(optimizer.computeGradients(() => own.loss(step * ranks + share), { varList: own.variables }));
    }
    optimizer.applyGradients(clipByGlobalNorm(accumulator.take(), 0.5)[0], { globalStep: own.globalStep });
  });
  return { ...own, optimizer };
}

function sharded(more = {}) {
  const own = model();
  const options = { shardState: true, clip: { globalNorm: 0.5 }, fusionBytes: 2 ** 16, ...more };
  return {
    ...own,
    optimizer: new DistributedOptimizer(new AdamOptimizer({ learningRate: 0.01 }), communicator, options),
  };
}

function train({ optimizer, variables, globalStep, loss }, from, to) {
  for (let step = from; step < to; step++) {
    optimizer.minimize(() => loss(step * size + rank), { varList: variables, globalStep });
  }
}

/** The same in compiled steps, at once and off the event loop in turn. */
async function trainCompiled({ optimizer, variables, globalStep, lossOf }, from, to) {
  const step = compileStep({
    inputs: { x: { shape: [rows, width] }, labels: { shape: [rows], dtype: 'int32' } },
    loss: lossOf,
    optimizer,
    varList: variables,
    globalStep,
    clip: { globalNorm: 0.5 },
  });
  for (let at = from; at < to; at++) {
    const batch = batchOf(at * size + rank);
    if (at % 2 === 0) await step.run(batch);
    else step.runSync(batch);
  }
}

function expect(isSo, what) {
  if (!isSo) throw new Error(`rank ${rank}: ${what}`);
}

/** Variables and the parts of slots that are here. */
function expectSame(own, whole) {
  const variables = bytesOf([...own.variables, own.globalStep]).join();
  expect(variables === bytesOf([...whole.variables, whole.globalStep]).join(), 'one process has other variables');
  own.variables.forEach((one, i) => {
    const [begin, end] = own.optimizer.shardOf(one);
    for (const name of ['m', 'v']) {
      const part = own.optimizer.getSlot(one, name).data;
      const expected = whole.optimizer.getSlot(whole.variables[i], name).data.subarray(begin, end);
      expect(
        part.length === end - begin && part.every((x, k) => Object.is(x, expected[k])),
        `one process has another ${name}`,
      );
    }
  });
}

/** Sums in MPI's own order: nearly the same variables, and on all ranks alike. */
function expectNear(own, whole) {
  const all = own.variables.flatMap(({ data }) => [...data]);
  const expected = whole.variables.flatMap(({ data }) => [...data]);
  expect(
    all.every((x, i) => Math.abs(x - expected[i]) < 1e-3),
    'sums in any order are far from those in order',
  );
  const own64 = Float64Array.from(all);
  const first = own64.slice();
  communicator.broadcast(first);
  expect(
    first.every((x, i) => Object.is(x, own64[i])),
    'ranks differ',
  );
}

const own = sharded();
const parts = { variables: own.variables, optimizer: own.optimizer, globalStep: own.globalStep };
if (savedBy === undefined) {
  train(own, 0, steps);
  const whole = alone(Array(steps).fill(size));
  expectSame(own, whole);
  const compiled = sharded();
  await trainCompiled(compiled, 0, steps);
  expectSame(compiled, whole);
  const inAnyOrder = sharded({ deterministic: false });
  train(inAnyOrder, 0, steps);
  expectNear(inAnyOrder, whole);
  const saved = await saveCheckpoint(folder, parts);
  expect(saved.step === steps, `it has saved step ${saved.step}`);
  console.log(`rank ${rank} of ${size}: saved`);
} else {
  const restored = await restoreCheckpoint(folder, parts);
  expect(restored?.step === steps, `it has restored step ${restored?.step}`);
  train(own, steps, steps + 1);
  await trainCompiled(own, steps + 1, 2 * steps);
  expectSame(own, alone([...Array(steps).fill(Number(savedBy)), ...Array(steps).fill(size)]));
  console.log(`rank ${rank} of ${size}: went on`);
}
