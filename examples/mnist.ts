// `npm start`: trains a network on the 60,000 handwritten digits of MNIST and tells how well it reads 10,000 others.
import { clipByGlobalNorm, clipByGlobalNormAsync, createGlobalStep, runtime } from 'gradstep';
import { batches, classCount, inputSize, loadMnist, type Dataset } from './mnist/data';
import { Failure } from './mnist/failure';
import { History } from './mnist/history';
import { Interruption } from './mnist/interruption';
import { Model } from './mnist/model';
import { optimizers } from './mnist/optimizers';
import { parseOptions, type Options } from './mnist/options';
import { prepareFolder, writeOutput } from './mnist/output';
import { Progress } from './mnist/progress';
import { Random } from './mnist/random';
import { toSafetensors } from './mnist/safetensors';
import { trainTogether } from './mnist/workers';

/** Trains the model, in place; with `--async` until somebody interrupts it. */
async function train(model: Model, dataset: Dataset, random: Random, options: Options): Promise<History> {
  const { epochs, batch, clipNorm } = options;
  const steps = epochs * Math.ceil(dataset.count / batch);
  const history = new History(steps, clipNorm);
  using progress = new Progress(history, epochs);
  using interruption = new Interruption(options.async);

  const globalStep = createGlobalStep();
  const { create, defaultRate } = optimizers[options.optimizer];
  const firstRate = options.learningRate ?? defaultRate;
  // In a straight line to 0: large steps early, small ones late, when the noise of the batches would blur the result.
  const optimizer = create(() => firstRate * (1 - globalStep.value / steps));

  const order = Int32Array.from({ length: dataset.count }, (_, row) => row);
  for (let epoch = 0; epoch < epochs; epoch++) {
    random.shuffle(order);
    for (const rows of batches(order, batch)) {
      const gradsAndVars = optimizer.computeGradients(() => model.loss(dataset, rows));
      if (options.async) {
        const [clipped, norm] = await clipByGlobalNormAsync(gradsAndVars, clipNorm);
        await optimizer.applyGradientsAsync(clipped, { globalStep });
        history.add(gradsAndVars.loss.item(), norm);
      } else {
        const [clipped, norm] = clipByGlobalNorm(gradsAndVars, clipNorm);
        optimizer.applyGradients(clipped, { globalStep });
        history.add(gradsAndVars.loss.item(), norm);
      }
      progress.update();
      if (interruption.isWanted) return history;
    }
  }
  return history;
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv);
  if (options.threads !== undefined) runtime.threads = options.threads;
  const data = loadMnist(options.data);
  prepareFolder(options.out);

  const random = new Random(options.seed);
  const sizes = [inputSize, ...options.hidden, classCount];
  const model = Model.create(sizes, random);
  const history =
    options.workers === undefined
      ? await train(model, data.train, random, options)
      : await trainTogether(model, data.train, options, options.workers);
  const right = model.countRight(data.test);

  const weights = writeOutput(options.out, 'weights.safetensors', toSafetensors(model.variables()));
  if (history.step < history.steps) {
    console.log(`
stopped after  step ${history.step} of ${history.steps}
test accuracy  ${((100 * right) / data.test.count).toFixed(2)} % (${right} of ${data.test.count} images)
weights        ${weights.path}`);
    process.exitCode = 130; // as of a program that Ctrl-C has ended
    return;
  }
  // The charting package takes a while to load, so that is put off until there is something to draw.
  const { drawTraining } = await import('./mnist/picture.js');
  const title = `MNIST, ${sizes.join('-')}, batch ${options.batch}, ${options.optimizer}, seed ${options.seed}`;
  const picture = writeOutput(options.out, 'training.svg', drawTraining(title, history, options.epochs));

  const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`;
  console.log(`
test accuracy  ${((100 * right) / data.test.count).toFixed(2)} % (${right} of ${data.test.count} images)
ran on         ${runtime.isa}, ${runtime.threads} ${runtime.threads === 1 ? 'thread' : 'threads'}
total time     ${seconds(performance.now())}, of it ${seconds(history.elapsed)} in ${history.steps} training steps
weights        ${weights.path}
               sha256 ${weights.sha256}
picture        ${picture.path}`);
}

main().catch((error: unknown) => {
  if (!(error instanceof Failure)) throw error;
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
});
