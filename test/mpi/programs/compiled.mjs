// Compiled steps whose ranks are processes: the bytes of eager steps, of one process that averages the same batches, at once and
// off the event loop; a rank that fails in the middle, and one whose program differs.
import {
  AdamOptimizer,
  clipByGlobalNorm,
  compileStep,
  GradientAccumulator,
  MixedPrecisionLossScaleOptimizer,
  ops,
  runtime,
  tensor,
  variable,
} from 'gradstep';
import { mpi } from 'gradstep/mpi';
import { DistributedOptimizer } from 'gradstep/parallel';

runtime.threads = 1;
const communicator = await mpi.init();
const { rank, size } = communicator;
const steps = 6;
const [rows, width] = [16, 40];

const valuesOf = (seed, length) => Float32Array.from({ length }, (_, i) => Math.sin(7.3 * seed + 1.7 * i));

function model(columns = width) {
  const table = variable(valuesOf(1, 50 * columns), { shape: [50, columns], name: 'table' });
  const w = variable(valuesOf(2, columns * 300), { shape: [columns, 300], name: 'w' });
  const b = variable(valuesOf(3, 300), { name: 'b' });
  const loss = ({ x, labels, shift }) => {
    const h = ops.add(x, ops.gather(table, labels));
    const at = ops.cast(ops.add(ops.cast(shift, 'float32'), 1), 'int32'); // looked at only in the run
    const y = ops.reluLayer(ops.mul(h, ops.gather(x, at)), w, b);
    return ops.reduceMean(ops.square(y));
  };
  return { variables: [table, w, b], loss };
}

const batchOf = (number, columns = width) => ({
  x: tensor(valuesOf(100 + number, rows * columns), [rows, columns]),
  labels: Int32Array.from({ length: rows }, (_, i) => (number * 31 + i * i) % 50),
  shift: Int32Array.of(number % (rows - 2)),
});

const inputs = (columns = width) => ({
  x: { shape: [rows, columns] },
  labels: { shape: [rows], dtype: 'int32' },
  shift: { shape: [1], dtype: 'int32' },
});

const bytesOf = ({ variables }, optimizer) =>
  [...variables, ...(optimizer?.variables() ?? [])]
    .map(({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex'))
    .join();

const optimizerOf = (kind) => {
  const adam = new AdamOptimizer({ learningRate: 0.01 });
  const { fusionBytes, shardState = false } = kind;
  const over = (inner) => new DistributedOptimizer(inner, communicator, { fusionBytes, shardState });
  if (kind.scale === 'outside') return new MixedPrecisionLossScaleOptimizer(over(adam), 128);
  return over(kind.scale === 'inside' ? new MixedPrecisionLossScaleOptimizer(adam, 128) : adam);
};

function eagerly(kind) {
  const own = model();
  const optimizer = optimizerOf(kind);
  const losses = [];
  for (let step = 0; step < steps; step++) {
    const { x, labels, shift } = batchOf(step * size + rank);
    const given = { x, labels, shift: tensor(shift, [1], 'int32') };
    const mean = optimizer.computeGradients(() => own.loss(given), { varList: own.variables });
    losses.push(mean.loss.item());
    optimizer.applyGradients(clipByGlobalNorm(mean, 0.5)[0]);
  }
  return { losses: losses.join(), bytes: bytesOf(own, optimizer) };
}

function alone() {
  const own = model();
  const optimizer = new AdamOptimizer({ learningRate: 0.01 });
  const losses = [];
  for (let step = 0; step < steps; step++) {
    const accumulator = new GradientAccumulator();
    for (let share = 0; share < size; share++) {
      const { x, labels, shift } = batchOf(step * size + share);
      const given = { x, labels, shift: tensor(shift, [1], 'int32') };
      accumulator.add(optimizer.computeGradients(() => own.loss(given), { varList: own.variables }));
    }
    const mean = accumulator.take();
    losses.push(mean.loss.item());
    optimizer.applyGradients(clipByGlobalNorm(mean, 0.5)[0]);
  }
  return { losses: losses.join(), bytes: bytesOf(own, optimizer), variables: bytesOf(own) };
}

async function compiled(kind, isAsync, own = model()) {
  const optimizer = optimizerOf(kind);
  const step = compileStep({
    inputs: inputs(),
    loss: own.loss,
    optimizer,
    varList: own.variables,
    clip: { globalNorm: 0.5 },
  });
  const batches = Array.from({ length: steps }, (_, at) => batchOf(at * size + rank));
  const found = isAsync
    ? await Promise.all(batches.map((one) => step.run(one)))
    : batches.map((one) => step.runSync(one));
  return { losses: found.map(({ loss }) => loss).join(), bytes: bytesOf(own, optimizer), variables: bytesOf(own) };
}

function expect(isSo, what) {
  if (!isSo) throw new Error(`rank ${rank}: ${what}`);
}

const expected = alone();
for (const fusionBytes of [0, 4096, 2 ** 26]) {
  for (const scale of ['none', 'outside']) {
    for (const isAsync of [false, true]) {
      const own = await compiled({ fusionBytes, scale, shardState: true }, isAsync);
      const isSame = own.variables === expected.variables && own.losses === expected.losses;
      expect(isSame, `one process has other bytes: divided slots, ${fusionBytes}, ${scale}, ${isAsync}`);
    }
  }
  for (const scale of ['none', 'inside', 'outside']) {
    const kind = { fusionBytes, scale };
    const eager = eagerly(kind);
    for (const isAsync of [false, true]) {
      const own = await compiled(kind, isAsync);
      const what = `${JSON.stringify(kind)}${isAsync ? ', off the event loop' : ''}`;
      expect(own.bytes === eager.bytes && own.losses === eager.losses, `eager steps have other bytes: ${what}`);
      // 128 is a power of 2: nothing but a factor that is exact.
      expect(own.bytes === expected.bytes && own.losses === expected.losses, `one process has other bytes: ${what}`);
    }
  }
}

for (const shardState of size > 1 ? [false, true] : []) {
  const own = model();
  const optimizer = optimizerOf({ fusionBytes: 2 ** 20, shardState });
  const step = compileStep({ inputs: inputs(), loss: own.loss, optimizer, varList: own.variables });
  step.runSync(batchOf(rank));
  const before = bytesOf(own, optimizer);
  const message = (f) => {
    try {
      f();
      return '';
    } catch (error) {
      return `${error.name}: ${error.message}`;
    }
  };
  const failing = rank === 1 ? { ...batchOf(rank), shift: Int32Array.of(1000) } : batchOf(rank);
  const said = message(() => step.runSync(failing));
  expect(said.startsWith(rank === 1 ? 'RangeError: an index' : 'Error: rank 1 has no gradients'), `it says ${said}`);
  expect(bytesOf(own, optimizer) === before, 'a step that failed has changed something');
  step.runSync(batchOf(rank));

  const given = rank === 1 ? { ...batchOf(rank), labels: Int32Array.of(1) } : batchOf(rank);
  const unfit = message(() => step.runSync(given));
  const isTold = /^RangeError: .*labels/.test(unfit.replace('Error: rank 1 has no gradients for this step: ', ''));
  expect(isTold && unfit.startsWith(rank === 1 ? 'RangeError: ' : 'Error: rank 1 '), `it says ${unfit}`);
  const later = await step.run(given).catch((error) => `${error.name}: ${error.message}`);
  expect(later === unfit, `it says ${later}`);
  await step.run(batchOf(rank));

  const columns = rank === size - 1 ? 24 : width;
  const other = model(columns);
  const distributed = new DistributedOptimizer(new AdamOptimizer(), communicator, { check: false, shardState });
  const differing = compileStep({
    inputs: inputs(columns),
    loss: other.loss,
    optimizer: distributed,
    varList: other.variables,
  });
  const refused = message(() => differing.runSync(batchOf(rank, columns)));
  expect(
    refused.startsWith(`RangeError: rank ${size - 1} runs another compiled step than rank 0`),
    `it says ${refused}`,
  );
}
console.log(`rank ${rank} of ${size}: as it should be`);
