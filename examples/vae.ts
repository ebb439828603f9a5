// `npm run example:vae`: a variational autoencoder learns what handwritten digits are made of, and then makes some itself.
import { AdamOptimizer, compileStep, createGlobalStep, ops, random, runtime } from 'gradstep';
import { batches, inputSize, loadMnist, type Dataset } from './mnist/data';
import { Failure } from './mnist/failure';
import { prepareFolder, writeOutput } from './mnist/output';
import { toSafetensors } from './mnist/safetensors';
import { Lines } from './shared/lines';
import { machine } from './shared/machine';
import { asProbabilities, evaluate, Vae } from './vae/model';
import { parseOptions, type Options } from './vae/options';
import { drawDigits } from './vae/picture';

/** @returns the seconds that it took. */
function train(model: Vae, dataset: Dataset, { epochs, batch, learningRate }: Options): number {
  if (batch > dataset.count) throw new Failure(`--batch ${batch} is more than the ${dataset.count} images there are`);
  const perEpoch = Math.floor(dataset.count / batch);
  const steps = epochs * perEpoch;
  const globalStep = createGlobalStep();
  const step = compileStep({
    inputs: { rows: { shape: [batch], dtype: 'int32' } },
    loss: ({ rows }) => model.loss(asProbabilities(ops.gather(dataset.images, rows))),
    optimizer: new AdamOptimizer({
      learningRate: () => (learningRate * (1 + Math.cos((Math.PI * globalStep.value) / steps))) / 2,
    }),
    globalStep,
  });
  const lines = new Lines(steps);
  let smooth = NaN;
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const order = random.permutation(dataset.count);
    for (const rows of batches(order.subarray(0, perEpoch * batch), batch)) {
      const { loss } = step.runSync({ rows });
      if (!Number.isFinite(loss)) throw new Failure(`the loss is ${loss}: take a smaller --learning-rate`);
      smooth = Number.isNaN(smooth) ? loss : smooth + 0.02 * (loss - smooth);
      lines.update(globalStep.value, (seconds) => {
        const speed = Math.round(globalStep.value / seconds);
        return `epoch ${epoch}/${epochs}  -ELBO ${smooth.toFixed(2)} nats  ${speed} steps/s`;
      });
    }
  }
  return lines.seconds;
}

function main(): void {
  const options = parseOptions(process.argv);
  if (options.threads !== undefined) runtime.threads = options.threads;
  const data = loadMnist(options.data);
  prepareFolder(options.out);
  random.seed(options.seed);
  const model = new Vae(options.hidden, options.latent);
  const seconds = train(model, data.train, options);
  const { reconstruction, divergence } = evaluate(model, data.test);
  const bound = reconstruction + divergence;

  const weights = writeOutput(options.out, 'weights.safetensors', toSafetensors(model.variables()));
  const title = `MNIST, a variational autoencoder, ${options.latent} dimensions: -ELBO ${bound.toFixed(1)} nats`;
  const picture = writeOutput(options.out, 'digits.svg', drawDigits(title, model, data.test));
  console.log(`
test -ELBO     ${bound.toFixed(2)} nats an image: ${reconstruction.toFixed(2)} for its pixels, ${divergence.toFixed(2)} for what they are made of
               ${(bound / inputSize / Math.LN2).toFixed(4)} bits a pixel
ran on         ${machine()}
training       ${seconds.toFixed(1)} s
weights        ${weights.path}
picture        ${picture.path}`);
}

try {
  main();
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
}
