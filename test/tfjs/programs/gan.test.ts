import { expect } from 'chai';
import * as tfjs from 'gradstep/tfjs';
import { weightsOf } from '../saved-model';
import { describeOnBackends, type Layer, type Model, type Optimizer, type Tf } from '../tf';
import { expectSameLosses, noise } from './program';

// A GAN as programs with LayersModels have it: the discriminator is trainable when it learns, and frozen inside of the model
// by which the generator learns.

const batch = 8;

interface Adams {
  readonly discriminator: Optimizer;
  readonly generator: Optimizer;
}

function dense(tf: Tf, units: number, inputs: number, activation: string): Layer {
  return tf.layers.dense!({ units, inputShape: [inputs], activation });
}

function initialize(tf: Tf, model: Model, seed: number): void {
  tf.tidy(() =>
    model.setWeights(model.getWeights().map(({ shape, size }, k) => tf.tensor(noise(size, seed + k, 0.5), shape))),
  );
}

async function train(tf: Tf, { discriminator: d, generator: g }: Adams): Promise<number[]> {
  const discriminator = tf.sequential({ layers: [dense(tf, 12, 2, 'tanh'), dense(tf, 1, 12, 'sigmoid')] });
  const generator = tf.sequential({ layers: [dense(tf, 12, 3, 'tanh'), dense(tf, 2, 12, 'linear')] });
  initialize(tf, discriminator, 1);
  initialize(tf, generator, 11);
  discriminator.compile({ optimizer: d, loss: 'binaryCrossentropy' });
  const asLayer = discriminator as unknown as Layer;
  asLayer.trainable = false;
  const combined = tf.sequential({ layers: [generator as unknown as Layer, asLayer] });
  combined.compile({ optimizer: g, loss: 'binaryCrossentropy' });

  const losses: number[] = [];
  const [ones, zeros] = [tf.ones([batch, 1]), tf.zeros([batch, 1])];
  for (let i = 0; i < 50; i++) {
    const real = tf.tensor(
      noise(2 * batch, 100 + i).map((x, k) => (k % 2 === 0 ? 1 + 0.2 * x : -1 + 0.2 * x)),
      [batch, 2],
    );
    const seed = tf.tensor(noise(3 * batch, 200 + i), [batch, 3]);
    const fake = generator.predict(seed);
    const before = weightsOf(generator);
    asLayer.trainable = true;
    losses.push(await discriminator.trainOnBatch(real, ones), await discriminator.trainOnBatch(fake, zeros));
    expect(weightsOf(generator)).to.deep.equal(before);
    asLayer.trainable = false;
    const frozen = weightsOf(discriminator);
    losses.push(await combined.trainOnBatch(seed, ones));
    expect(weightsOf(discriminator)).to.deep.equal(frozen);
    expect(weightsOf(generator)).to.not.deep.equal(before);
    tf.dispose([real, seed, fake]);
  }
  tf.dispose([ones, zeros]);
  d.dispose();
  if (g !== d) g.dispose();
  combined.dispose();
  return losses;
}

describeOnBackends('a GAN whose discriminator is frozen and not in turn', (tf) => {
  const { warn } = console;
  before(() => (console.warn = () => undefined)); // of the layers that were frozen after compile: as meant
  after(() => (console.warn = warn));
  const ours = (rate = 2e-3): Optimizer => tfjs.adam({ learningRate: rate, beta1: 0.5 }) as unknown as Optimizer;
  const theirs = (): Optimizer => tf.train.adam!(2e-3, 0.5);

  it("has the losses of TensorFlow.js's Adam", async () => {
    const expected = await train(tf, { discriminator: theirs(), generator: theirs() });
    expect(expected.every(Number.isFinite)).to.equal(true);
    expect(expected.at(-1)).to.not.equal(expected[2]);
    expectSameLosses(await train(tf, { discriminator: ours(), generator: ours() }), expected, 1e-4);
  });

  it('may have one optimizer for both, whose states do not mix', async () => {
    const momentum = (): Optimizer => tfjs.momentum({ learningRate: 0.05, momentum: 0.5 }) as unknown as Optimizer;
    const one = momentum();
    const expected = await train(tf, {
      discriminator: tf.train.momentum!(0.05, 0.5),
      generator: tf.train.momentum!(0.05, 0.5),
    });
    expectSameLosses(await train(tf, { discriminator: one, generator: one }), expected, 1e-4);
  });
});
