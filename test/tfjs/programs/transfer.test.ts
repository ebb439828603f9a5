import { expect } from 'chai';
import * as tfjs from 'gradstep/tfjs';
import { describeOnBackends, type Layer, type Model, type Optimizer, type Tf } from '../tf';
import { expectLearning, expectSameLosses, noise } from './program';

// Transfer learning: a base whose layers are frozen gets a new head; later its last layer is thawed and all is tuned finely.

function makeModel(tf: Tf): Model {
  const base = [
    tf.layers.conv2d!({ filters: 4, kernelSize: 3, inputShape: [8, 8, 1], activation: 'relu' }),
    tf.layers.maxPooling2d!({ poolSize: 2 }),
    tf.layers.flatten!({}),
    tf.layers.dense!({ units: 16, activation: 'tanh' }),
  ];
  for (const layer of base) layer.trainable = false;
  const model = tf.sequential({
    layers: [
      ...base,
      tf.layers.dense!({ units: 8, activation: 'relu' }),
      tf.layers.dense!({ units: 3, activation: 'softmax' }),
    ],
  });
  tf.tidy(() => {
    model.layers.forEach((layer, i) =>
      layer.setWeights(
        layer.getWeights().map(({ shape, size }, k) => tf.tensor(noise(size, 1 + 3 * i + k, 0.4), shape)),
      ),
    );
  });
  return model;
}

const valuesOf = (layer: Layer): number[] => layer.getWeights().flatMap((tensor) => [...tensor.dataSync()]);

async function train(tf: Tf, makeOptimizer: (learningRate: number) => Optimizer): Promise<number[]> {
  const model = makeModel(tf);
  const classes = Int32Array.from({ length: 12 }, (_, i) => i % 3);
  const x = tf.tensor(
    noise(12 * 64, 77).map((v, i) => v + (Math.floor(i / 64) % 3) * 0.5),
    [12, 8, 8, 1],
  );
  const y = tf.tidy(() => tf.cast(tf.oneHot(tf.tensor([...classes], [12], 'int32'), 3), 'float32'));
  const losses: number[] = [];
  const frozen = model.layers.slice(0, 4);
  const steps = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) losses.push(await model.trainOnBatch(x, y));
  };

  const optimizer = makeOptimizer(0.02);
  model.compile({ optimizer, loss: 'categoricalCrossentropy' });
  const before = frozen.map(valuesOf);
  await steps(25);
  expect(frozen.map(valuesOf)).to.deep.equal(before);

  const tuning = makeOptimizer(0.002);
  frozen[3]!.trainable = true;
  model.compile({ optimizer: tuning, loss: 'categoricalCrossentropy' });
  await steps(25);
  expect(frozen.slice(0, 3).map(valuesOf)).to.deep.equal(before.slice(0, 3));
  expect(valuesOf(frozen[3]!)).to.not.deep.equal(before[3]);

  tf.dispose([x, y]);
  model.dispose();
  optimizer.dispose();
  tuning.dispose();
  return losses;
}

describeOnBackends('transfer learning on a frozen base', (tf) => {
  const ways: readonly (readonly [string, (rate: number) => Optimizer, (rate: number) => unknown])[] = [
    ['adam', (rate) => tf.train.adam!(rate), (rate) => tfjs.adam({ learningRate: rate })],
    ['sgd', (rate) => tf.train.sgd!(10 * rate), (rate) => tfjs.sgd({ learningRate: 10 * rate })],
    [
      'momentum',
      (rate) => tf.train.momentum!(rate, 0.9),
      (rate) => tfjs.momentum({ learningRate: rate, momentum: 0.9 }),
    ],
  ];
  for (const [name, theirs, ours] of ways) {
    it(`has the losses of TensorFlow.js's optimizer: ${name}`, async () => {
      const expected = await train(tf, theirs);
      expectLearning(expected, 0.95);
      const { numTensors } = tf.memory();
      expectSameLosses(await train(tf, ours as (rate: number) => Optimizer), expected, 1e-4);
      expect(tf.memory().numTensors).to.equal(numTensors);
    });
  }
});
