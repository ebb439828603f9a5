import { expect } from 'chai';
import * as tfjs from 'gradstep/tfjs';
import { describeOnBackends, type Model, type Optimizer, type Tf } from '../tf';
import { expectLearning, expectSameLosses, noise } from './program';

// A model over words: an embedding layer, whose gradient needs UnsortedSegmentSum, the mean over a sentence, a decision.

const words = 30;
const sentence = 6;

function makeModel(tf: Tf, optimizer: Optimizer): Model {
  const model = tf.sequential({
    layers: [
      tf.layers.embedding!({ inputDim: words, outputDim: 8, inputLength: sentence }),
      tf.layers.globalAveragePooling1d!({}),
      tf.layers.dense!({ units: 8, activation: 'relu' }),
      tf.layers.dense!({ units: 1, activation: 'sigmoid' }),
    ],
  });
  tf.tidy(() =>
    model.setWeights(model.getWeights().map(({ shape, size }, k) => tf.tensor(noise(size, k + 1, 0.5), shape))),
  );
  model.compile({ optimizer, loss: 'binaryCrossentropy' });
  return model;
}

async function train(tf: Tf, optimizer: Optimizer): Promise<number[]> {
  const model = makeModel(tf, optimizer);
  const index = Array.from({ length: 20 * sentence }, (_, i) => (i * 7 + Math.floor(i / sentence) * 5) % words);
  const labels = Array.from({ length: 20 }, (_, i) =>
    Number(index.slice(i * sentence, (i + 1) * sentence).includes(3)),
  );
  const x = tf.tensor(index, [20, sentence], 'int32');
  const y = tf.tensor(labels, [20, 1]);
  try {
    const options = { batchSize: 4, epochs: 10, shuffle: false, verbose: 0 }; // 50 steps
    const losses: number[] = [];
    const callbacks = { onBatchEnd: (_: number, { loss }: { loss: number }) => void losses.push(loss) };
    const { history } = await model.fit(x, y, { ...options, callbacks });
    expectLearning(history.loss, 0.9);
    return losses;
  } finally {
    tf.dispose([x, y]);
    model.dispose();
    optimizer.dispose();
  }
}

describeOnBackends('a model with an embedding', (tf, backend) => {
  const ways: readonly (readonly [name: string, theirs: () => Optimizer, ours: () => unknown])[] = [
    ['adam', () => tf.train.adam!(0.01), () => tfjs.adam({ learningRate: 0.01 })],
    ['adagrad', () => tf.train.adagrad!(0.1), () => tfjs.adagrad({ learningRate: 0.1 })],
    ['rmsprop', () => tf.train.rmsprop!(0.01), () => tfjs.rmsprop({ learningRate: 0.01 })],
  ];

  for (const [name, theirs, ours] of backend === 'cpu' ? ways : []) {
    it(`has the losses of TensorFlow.js's optimizer: ${name}`, async () => {
      expectSameLosses(await train(tf, ours() as Optimizer), await train(tf, theirs()), 1e-4);
    });
  }

  if (backend !== 'wasm') return;

  it('needs a kernel that the backend has not, whoever steps', async () => {
    for (const [, theirs, ours] of ways) {
      for (const optimizer of [theirs(), ours() as Optimizer]) {
        const error: unknown = await train(tf, optimizer).catch((thrown: unknown) => thrown);
        expect(String(error)).to.match(/UnsortedSegmentSum.* not (found|registered) .*wasm/);
      }
    }
  });

  it('has the losses of the CPU backend with accelerate', async () => {
    for (const [, theirs, ours] of ways) {
      await tf.setBackend('cpu');
      const expected = await train(tf, theirs());
      await tf.setBackend(backend);
      tfjs.accelerate(tf as never);
      try {
        expectSameLosses(await train(tf, ours() as Optimizer), expected, 1e-4);
      } finally {
        tfjs.accelerate.off();
      }
    }
  });
});
