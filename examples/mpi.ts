// `npm run example:mpi`, or `mpirun -n 4 node build/ts/examples/mpi.js`: a convolutional network learns MNIST on several ranks,
// which may be on several machines. Killed at any moment it goes on from its last checkpoint, on any number of ranks.
import { AdamOptimizer, compileStep, createGlobalStep, ops, random, RandomGenerator, runtime } from 'gradstep';
import { restoreCheckpoint, saveCheckpoint } from 'gradstep/checkpoint';
import { broadcastState, DistributedOptimizer, mpi, type MpiCommunicator } from 'gradstep/mpi';
import { asImages, countRight, leNet } from './cnn/model';
import { loadMnist, type Dataset } from './mnist/data';
import { Failure } from './mnist/failure';
import { History } from './mnist/history';
import { Progress } from './mnist/progress';
import { parseOptions, type Options } from './mpi/options';
import { StopSignal } from './mpi/stop-signal';

/** A model, and what makes its steps. */
function start(dataset: Dataset, communicator: MpiCommunicator, options: Options) {
  const { batch, learningRate, epochs } = options;
  const perEpoch = Math.floor(dataset.count / batch);
  // Of each batch every rank takes its part: the same training for any number of ranks, but for the order of sums.
  const share = batch / communicator.size;
  const model = leNet([32, 64], 256, 0);
  const globalStep = createGlobalStep();
  const steps = epochs * perEpoch;
  const optimizer = new DistributedOptimizer(
    new AdamOptimizer({
      learningRate: () => (learningRate * (1 + Math.cos((Math.PI * globalStep.value) / steps))) / 2,
    }),
    communicator,
  );
  const step = compileStep({
    inputs: { rows: { shape: [share], dtype: 'int32' }, labels: { shape: [share], dtype: 'int32' } },
    loss: ({ rows, labels }) => {
      const logits = model.call(asImages(ops.gather(dataset.images, rows)), { training: true });
      return ops.reduceMean(ops.sparseSoftmaxCrossEntropyWithLogits(labels, logits));
    },
    optimizer,
    globalStep,
    clip: { globalNorm: 5 },
  });
  return { model, step, steps, perEpoch, share, parts: { variables: model.parameters(), optimizer, globalStep } };
}

type Started = ReturnType<typeof start>;

/** From where the checkpoint is to the end, or until the process is told to stop. */
async function train(
  started: Started,
  dataset: Dataset,
  communicator: MpiCommunicator,
  options: Options,
): Promise<History> {
  const { step, steps, perEpoch, share, parts } = started;
  const { globalStep } = parts;
  const { rank } = communicator;
  const history = new History(steps - globalStep.value, 5);
  using progress = rank === 0 ? new Progress(history, options.epochs) : null;
  using stop = new StopSignal(communicator);
  const labels = new Int32Array(share);
  let order: Int32Array = new Int32Array(0);
  for (let at = globalStep.value, orderOf = -1; at < steps; at++) {
    const epoch = Math.floor(at / perEpoch);
    if (epoch !== orderOf) order = new RandomGenerator(options.seed + epoch).permutation(dataset.count);
    orderOf = epoch;
    const first = (at % perEpoch) * options.batch + rank * share;
    const rows = order.subarray(first, first + share);
    rows.forEach((row, i) => (labels[i] = dataset.labels[row]!));
    const { loss, norm } = await step.run({ rows, labels });
    history.add(loss, norm);
    progress?.update();
    const isStopping = stop.isWantedByAny();
    if ((at + 1) % options.save === 0 || at + 1 === steps || isStopping) {
      if (rank === 0) await saveCheckpoint(options.out, parts, { keep: 2 });
      communicator.barrier(); // nobody ends, or goes on, before it is on the disk
    }
    if (isStopping) break;
  }
  return history;
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv);
  const communicator = await mpi.init();
  const { rank, size } = communicator;
  if (options.batch % size !== 0) throw new Failure(`--batch ${options.batch} cannot be divided by ${size} ranks`);
  if (options.threads !== undefined) runtime.threads = options.threads;
  const data = loadMnist(options.data);
  random.seed(options.seed);
  const started = start(data.train, communicator, options);
  const { parts, model } = started;
  if (rank === 0) {
    const restored = await restoreCheckpoint(options.out, parts);
    if (restored !== null) console.log(`going on after step ${parts.globalStep.value}`);
  }
  broadcastState(parts, communicator);
  const history = await train(started, data.train, communicator, options);
  if (rank === 0) {
    const right = countRight(model, data.test);
    const perSecond = (options.batch * history.step) / (history.elapsed / 1000);
    console.log(`
test accuracy  ${((100 * right) / data.test.count).toFixed(2)} % (${right} of ${data.test.count} images)
ran on         ${size} ${size === 1 ? 'rank' : 'ranks'} of ${runtime.threads} ${runtime.threads === 1 ? 'thread' : 'threads'}, ${runtime.isa}
total time     ${(performance.now() / 1000).toFixed(1)} s, ${Math.round(perSecond)} images a second in ${history.step} steps
checkpoints    ${options.out}`);
  }
  await communicator.finalize();
}

main().catch((error: unknown) => {
  if (!(error instanceof Failure)) throw error;
  console.error(`error: ${error.message}`);
  process.exit(1); // the other ranks wait
});
