// `npm run example:tfjs`: a LayersModel of TensorFlow.js's reads handwritten digits, trained by its own Adam, by gradstep's,
// and by gradstep's on gradstep's kernels. One line changes each time.
import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import { accelerate, adam } from 'gradstep/tfjs';
import { parseArgs } from 'node:util';
import { classCount, ink, inputSize, loadMnist } from '../../build/ts/examples/mnist/data.js';

const help = `npm run example:tfjs -- [options]
  --backend wasm|cpu   TensorFlow.js's backend (default: wasm)
  --examples n         images to train on (default: 12800)
  --epochs n           default: 1`;

function readOptions() {
  const string = (value) => ({ type: 'string', default: value });
  const options = {
    backend: string('wasm'),
    examples: string('12800'),
    epochs: string('1'),
    help: { type: 'boolean' },
  };
  const { values } = parseArgs({ options });
  const { backend } = values;
  const [examples, epochs] = [values.examples, values.epochs].map(Number);
  const isRight =
    ['wasm', 'cpu'].includes(backend) &&
    Number.isInteger(examples) &&
    examples >= batchSize &&
    examples <= 60_000 &&
    Number.isInteger(epochs) &&
    epochs >= 1;
  if (values.help || !isRight) {
    console.log(help);
    process.exit(values.help ? 0 : 1);
  }
  return { backend, examples, epochs };
}

const batchSize = 64;

/** 784-256-10, with the same numbers to start from each time. */
function newModel() {
  const kernelInitializer = () => tf.initializers.glorotUniform({ seed: 7 });
  return tf.sequential({
    layers: [
      tf.layers.dense({
        units: 256,
        activation: 'relu',
        inputShape: [inputSize],
        kernelInitializer: kernelInitializer(),
      }),
      tf.layers.dense({ units: classCount, activation: 'softmax', kernelInitializer: kernelInitializer() }),
    ],
  });
}

/** The first `count` images and what they show. */
function toTensors({ images, labels }, count) {
  const pixels = Float32Array.from(images.data.subarray(0, count * inputSize), (value) => value / ink);
  const xs = tf.tensor(pixels, [count, inputSize]);
  const ys = tf.tidy(() => tf.oneHot(tf.tensor1d(labels.slice(0, count), 'int32'), classCount).toFloat());
  return { xs, ys };
}

/** Trains a model with this optimizer. Everything but the optimizer is TensorFlow.js's. */
async function train(optimizer, training, test, epochs) {
  const model = newModel();
  model.compile({ optimizer, loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  const options = { batchSize, shuffle: false, verbose: 0 };
  const few = 4 * batchSize;
  await model.fit(training.xs.slice(0, few), training.ys.slice(0, few), options); // what is compiled and allocated once

  const start = performance.now();
  const { history } = await model.fit(training.xs, training.ys, { ...options, epochs });
  const seconds = (performance.now() - start) / 1000 / epochs;

  const [batchXs, batchYs] = [training.xs.slice(0, batchSize), training.ys.slice(0, batchSize)];
  const { peakBytes } = await tf.profile(() => model.trainOnBatch(batchXs, batchYs));
  const [, accuracy] = model.evaluate(test.xs, test.ys, { batchSize: 1000 });
  return { seconds, loss: history.loss.at(-1), accuracy: accuracy.dataSync()[0], peakBytes };
}

const { backend, examples, epochs } = readOptions();
await tf.setBackend(backend);
tf.enableProdMode();
const mnist = loadMnist();
const training = toTensors(mnist.train, examples);
const test = toTensors(mnist.test, 2000);
console.log(
  `784-256-10, batches of ${batchSize}, ${examples} images, TensorFlow.js ${tf.version.tfjs} on ${backend}\n`,
);

const rows = [];
rows.push(['tf.train.adam()', await train(tf.train.adam(1e-3), training, test, epochs)]);
rows.push(['adam()', await train(adam({ learningRate: 1e-3 }), training, test, epochs)]);
accelerate(tf);
rows.push(['adam(), accelerate(tf)', await train(adam({ learningRate: 1e-3 }), training, test, epochs)]);

const [, first] = rows[0];
console.log('                        s/epoch  faster   loss  accuracy  peak of a step');
for (const [name, { seconds, loss, accuracy, peakBytes }] of rows) {
  const numbers = [
    seconds.toFixed(2).padStart(7),
    `${(first.seconds / seconds).toFixed(1)} ×`.padStart(7),
    loss.toFixed(4).padStart(6),
    `${(100 * accuracy).toFixed(1)} %`.padStart(9),
    `${(peakBytes / 2 ** 20).toFixed(1)} MiB`.padStart(15),
  ];
  console.log(name.padEnd(24) + numbers.join(' '));
}
