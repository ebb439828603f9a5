import { expect } from 'chai';
import * as tfjs from 'gradstep/tfjs';
import { describeOnBackends, type Optimizer, type Tensor, type Tf, type Variable } from '../tf';
import { expectLearning, expectSameLosses, noise } from './program';

// A small GPT, trained as programs train one with TensorFlow.js: AdamW by hand, as a class over tf.AdamOptimizer that decays
// some of the weights, and gradients clipped by their global norm with a few ops.

const vocabulary = 13;
const batch = 3;
const time = 8;
const width = 16;
const heads = 2;
const layers = 2;

class Gpt {
  readonly variables: Variable[] = [];
  private readonly blocks;
  private readonly tokens: Variable;
  private readonly positions: Variable;
  private readonly norm: (x: Tensor) => Tensor;
  private readonly head: Variable;
  private readonly mask: Tensor;

  constructor(
    private readonly tf: Tf,
    /** Looks tokens up with gather; otherwise multiplies with one-hot rows, whose gradient every backend has. */
    private readonly gathers: boolean,
  ) {
    this.tokens = this.matrix('token_emb', vocabulary, width);
    this.positions = this.matrix('position_emb', time, width);
    this.blocks = Array.from({ length: layers }, (_, i) => ({
      attentionNorm: this.layerNorm(`block${i}/attention_normalization`),
      query: this.dense(`block${i}/query`, width, width),
      key: this.dense(`block${i}/key`, width, width),
      value: this.dense(`block${i}/value`, width, width),
      projection: this.dense(`block${i}/projection`, width, width),
      mlpNorm: this.layerNorm(`block${i}/mlp_normalization`),
      up: this.dense(`block${i}/up`, width, 4 * width),
      down: this.dense(`block${i}/down`, 4 * width, width),
    }));
    this.norm = this.layerNorm('final_normalization');
    this.head = this.matrix('head/kernel', width, vocabulary);
    const future = Float32Array.from({ length: time * time }, (_, i) => (i % time > Math.floor(i / time) ? -1e9 : 0));
    this.mask = tf.keep(tf.tensor(future, [time, time]));
  }

  dispose(): void {
    this.tf.dispose([...this.variables, this.mask]);
  }

  loss(input: Tensor, target: Tensor): Tensor {
    const { tf } = this;
    const logits = tf.reshape(this.logits(input), [batch * time, vocabulary]);
    return tf.losses.softmaxCrossEntropy(tf.oneHot(tf.reshape(target, [batch * time]), vocabulary), logits);
  }

  private logits(input: Tensor): Tensor {
    const { tf } = this;
    let x = tf.add(this.embedded(input), this.positions);
    for (const block of this.blocks) {
      x = tf.add(x, this.attention(block, block.attentionNorm(x)));
      x = tf.add(x, block.down(this.gelu(block.up(block.mlpNorm(x)))));
    }
    return tf.reshape(tf.matMul(tf.reshape(this.norm(x), [-1, width]), this.head), [batch, time, vocabulary]);
  }

  private embedded(input: Tensor): Tensor {
    const { tf } = this;
    if (this.gathers) return tf.gather(this.tokens, input);
    const rows = tf.oneHot(tf.reshape(input, [batch * time]), vocabulary);
    return tf.reshape(tf.matMul(tf.cast(rows, 'float32'), this.tokens), [batch, time, width]);
  }

  private attention({ query, key, value, projection }: (typeof this.blocks)[number], x: Tensor): Tensor {
    const { tf } = this;
    const split = (t: Tensor): Tensor => tf.transpose(tf.reshape(t, [batch, time, heads, width / heads]), [0, 2, 1, 3]);
    const scores = tf.matMul(split(query(x)), split(key(x)), false, true);
    const weights = tf.softmax(tf.add(tf.mul(scores, tf.scalar((width / heads) ** -0.5)), this.mask));
    const mixed = tf.transpose(tf.matMul(weights, split(value(x))), [0, 2, 1, 3]);
    return projection(tf.reshape(mixed, [batch, time, width]));
  }

  private gelu(x: Tensor): Tensor {
    const { tf } = this;
    const inner = tf.mul(
      tf.scalar(Math.sqrt(2 / Math.PI)),
      tf.add(x, tf.mul(tf.scalar(0.044715), tf.mul(x, tf.square(x)))),
    );
    return tf.mul(tf.mul(tf.scalar(0.5), x), tf.add(tf.scalar(1), tf.tanh(inner)));
  }

  private dense(name: string, from: number, to: number): (x: Tensor) => Tensor {
    const { tf } = this;
    const kernel = this.matrix(`${name}/kernel`, from, to);
    const bias = this.variable(`${name}/bias`, tf.zeros([to]));
    return (x) => tf.add(tf.reshape(tf.matMul(tf.reshape(x, [-1, from]), kernel), [batch, time, to]), bias);
  }

  private layerNorm(name: string): (x: Tensor) => Tensor {
    const { tf } = this;
    const gamma = this.variable(`${name}/gamma`, tf.ones([width]));
    const beta = this.variable(`${name}/beta`, tf.zeros([width]));
    return (x) => {
      const { mean, variance } = tf.moments(x, -1, true);
      return tf.add(tf.mul(tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, tf.scalar(1e-5)))), gamma), beta);
    };
  }

  private matrix(name: string, rows: number, columns: number): Variable {
    const values = noise(rows * columns, this.variables.length + 1, 0.2);
    return this.variable(name, this.tf.tensor(values, [rows, columns]));
  }

  private variable(name: string, initial: Tensor): Variable {
    const variable = this.tf.variable(initial, true, `gpt/${name}`);
    this.variables.push(variable);
    return variable;
  }
}

const learningRate = 3e-3;
const weightDecay = 0.1;
const clipNorm = 1;
const isExcluded = (name: string): boolean => /bias|normalization|emb/.test(name);

/** AdamW as programs have it: Adam, after all variables that decay have been multiplied. */
function adamWByHand(tf: Tf): Optimizer {
  class AdamW extends tf.AdamOptimizer {
    override applyGradients(gradients: Record<string, Tensor>): void {
      tf.tidy(() => {
        for (const name of Object.keys(gradients)) {
          if (isExcluded(name)) continue;
          const value = tf.engine().registeredVariables[name]!;
          value.assign(tf.sub(value, tf.mul(value, tf.scalar(learningRate * weightDecay))));
        }
      });
      super.applyGradients(gradients);
    }
  }
  return new AdamW(learningRate, 0.9, 0.999, 1e-7);
}

function clipByHand(tf: Tf, gradients: Record<string, Tensor>): Record<string, Tensor> {
  const squares = Object.values(gradients).map((gradient) => tf.sum(tf.square(gradient)));
  const norm = tf.sqrt(squares.reduce((a, b) => tf.add(a, b)));
  const scale = tf.mul(tf.scalar(clipNorm), tf.minimum(tf.div(tf.scalar(1), norm), tf.scalar(1 / clipNorm)));
  return Object.fromEntries(Object.entries(gradients).map(([name, gradient]) => [name, tf.mul(gradient, scale)]));
}

interface Way {
  readonly optimizer: Optimizer;
  /** What becomes of gradients before they are applied; without it the optimizer minimizes. */
  readonly clip?: (gradients: Record<string, Tensor>) => Record<string, Tensor>;
}

function train(tf: Tf, { optimizer, clip }: Way, gathers: boolean, steps = 50): number[] {
  const made: Gpt[] = [];
  tf.tidy(() => void made.push(new Gpt(tf, gathers)));
  const gpt = made[0]!;
  const losses: number[] = [];
  for (let i = 0; i < steps; i++) {
    tf.tidy(() => {
      // Sentences of a language that counts.
      const at = (shift: number): Tensor =>
        tf.tensor(
          Array.from(
            { length: batch * time },
            (_, k) => ((k % time) * (1 + Math.floor(k / time)) + i + shift * (1 + Math.floor(k / time))) % vocabulary,
          ),
          [batch, time],
          'int32',
        );
      const [input, target] = [at(0), at(1)];
      const loss = (): Tensor => gpt.loss(input, target);
      if (clip === undefined) return void losses.push(optimizer.minimize(loss, true, gpt.variables)!.dataSync()[0]!);
      const { value, grads } = tf.variableGrads(loss, gpt.variables);
      optimizer.applyGradients(clip(grads));
      losses.push(value.dataSync()[0]!);
    });
  }
  gpt.dispose();
  optimizer.dispose();
  return losses;
}

describeOnBackends('a GPT trained with AdamW and clipped gradients', (tf, backend) => {
  const options = { learningRate, weightDecay, epsilon: 1e-7, excludeFromWeightDecay: isExcluded };
  const adamW = (more: object = {}): Optimizer => tfjs.adamW({ ...options, ...more }) as unknown as Optimizer;
  const gathers = [false, ...(backend === 'cpu' ? [true] : [])];
  const clipWithOurs = (gradients: Record<string, Tensor>): Record<string, Tensor> => {
    const names = Object.keys(gradients);
    const [clipped] = tfjs.clipByGlobalNorm(Object.values(gradients), clipNorm);
    return Object.fromEntries(names.map((name, i) => [name, clipped[i]!]));
  };

  for (const isGathering of gathers) {
    it(`has the losses of AdamW by hand${isGathering ? ', with tokens that are gathered' : ''}`, () => {
      const { numTensors } = tf.memory();
      const byHand = {
        optimizer: adamWByHand(tf),
        clip: (gradients: Record<string, Tensor>) => clipByHand(tf, gradients),
      };
      const expected = train(tf, byHand, isGathering);
      expectLearning(expected, 0.8);
      expectSameLosses(train(tf, { optimizer: adamW({ globalClipNorm: clipNorm }) }, isGathering), expected);
      expectSameLosses(train(tf, { optimizer: adamW(), clip: clipWithOurs }, isGathering), expected);
      expectSameLosses(train(tf, { optimizer: adamW(), clip: byHand.clip }, isGathering), expected);
      expect(tf.memory().numTensors).to.equal(numTensors);
    });
  }

  it('would have other losses without the clipping or the decay', () => {
    const expected = train(tf, { optimizer: adamW({ globalClipNorm: clipNorm }) }, false, 20);
    for (const other of [adamW(), adamW({ globalClipNorm: clipNorm, weightDecay: 0 })]) {
      const losses = train(tf, { optimizer: other }, false, 20);
      expect(Math.abs(losses.at(-1)! - expected.at(-1)!)).to.be.above(1e-4);
    }
  });
});
