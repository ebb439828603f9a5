// `npm run example:cnn`: a convolutional network learns the handwritten digits of MNIST, each step one native call.
import { AdamOptimizer, compileStep, createGlobalStep, ops, random, runtime } from 'gradstep';
import { asImages, countRight, leNet } from './cnn/model';
import { parseOptions, type Options } from './cnn/options';
import { batches, loadMnist, type Dataset } from './mnist/data';
import { Failure } from './mnist/failure';
import { History } from './mnist/history';
import { prepareFolder, writeOutput } from './mnist/output';
import { Progress } from './mnist/progress';
import { toSafetensors } from './mnist/safetensors';

type Model = ReturnType<typeof leNet>;

function train(model: Model, dataset: Dataset, { epochs, batch, learningRate, clipNorm }: Options): History {
  const perEpoch = Math.floor(dataset.count / batch);
  const steps = epochs * perEpoch;
  const history = new History(steps, clipNorm);
  using progress = new Progress(history, epochs);
  const globalStep = createGlobalStep();
  const step = compileStep({
    inputs: { rows: { shape: [batch], dtype: 'int32' }, labels: { shape: [batch], dtype: 'int32' } },
    loss: ({ rows, labels }) => {
      const logits = model.call(asImages(ops.gather(dataset.images, rows)), { training: true });
      return ops.reduceMean(ops.sparseSoftmaxCrossEntropyWithLogits(labels, logits));
    },
    // Half a cosine: large steps early, small ones late, when the noise of the batches would blur the result.
    optimizer: new AdamOptimizer({
      learningRate: () => (learningRate * (1 + Math.cos((Math.PI * globalStep.value) / steps))) / 2,
    }),
    globalStep,
    clip: { globalNorm: clipNorm },
  });
  const order = Int32Array.from({ length: dataset.count }, (_, row) => row);
  const labels = new Int32Array(batch);
  for (let epoch = 0; epoch < epochs; epoch++) {
    random.shuffle(order);
    for (const rows of batches(order.subarray(0, perEpoch * batch), batch)) {
      rows.forEach((row, i) => (labels[i] = dataset.labels[row]!));
      const { loss, norm } = step.runSync({ rows, labels });
      history.add(loss, norm);
      progress.update();
    }
  }
  return history;
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv);
  if (options.threads !== undefined) runtime.threads = options.threads;
  const data = loadMnist(options.data);
  prepareFolder(options.out);
  random.seed(options.seed);
  const model = leNet([32, 64], 256, 0.4);
  const history = train(model, data.train, options);
  const right = countRight(model, data.test);

  const weights = writeOutput(options.out, 'weights.safetensors', toSafetensors(model.variables()));
  // The charting package takes a while to load, so that is put off until there is something to draw.
  const { drawTraining } = await import('./mnist/picture.js');
  const title = `MNIST, LeNet-5 with 32 and 64 filters, batch ${options.batch}, Adam, seed ${options.seed}`;
  const picture = writeOutput(options.out, 'training.svg', drawTraining(title, history, options.epochs));
  const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`;
  console.log(`
test accuracy  ${((100 * right) / data.test.count).toFixed(2)} % (${right} of ${data.test.count} images)
ran on         ${runtime.isa}, ${runtime.threads} ${runtime.threads === 1 ? 'thread' : 'threads'}
total time     ${seconds(performance.now())}, of it ${seconds(history.elapsed)} in ${history.steps} training steps
weights        ${weights.path}
picture        ${picture.path}`);
}

main().catch((error: unknown) => {
  if (!(error instanceof Failure)) throw error;
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
});
