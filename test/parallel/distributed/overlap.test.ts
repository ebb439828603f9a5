import { expect } from 'chai';
import fc from 'fast-check';
import {
  checkpointed,
  customGradient,
  GradientDescentOptimizer,
  gradients,
  internals,
  MixedPrecisionLossScaleOptimizer,
  ops,
  variable,
  type Gradient,
  type Optimizer,
  type Tensor,
  type Variable,
} from 'gradstep';
import { DistributedOptimizer, type DistributedOptimizerOptions } from 'gradstep/parallel';
import { Pretend } from '../support/pretend';
import { noise } from '../support/takeover';

const descent = () => new GradientDescentOptimizer({ learningRate: 0.1 });

/** Three layers, each of which tells when its way back is gone. */
function layers(log: string[]) {
  const weights = [1, 2, 3].map((i) => variable(noise(i, 16 * i), { name: `w${i}`, shape: [16 * i] }));
  const told = (name: string) =>
    customGradient((x) => ({
      value: ops.mul(x, 1),
      gradient: (dy) => {
        log.push(`back through ${name}`);
        return [ops.mul(dy, 1)];
      },
    }));
  const loss = (): Tensor => {
    let x = ops.l2Loss(weights[0]!);
    for (const w of weights.slice(1)) x = ops.mul(told(`before ${w.name}`)(x), ops.l2Loss(w));
    return x;
  };
  return { weights, loss };
}

function trained(size: number, options: DistributedOptimizerOptions, steps = 2) {
  const communicator = new Pretend(size);
  const { weights, loss } = layers(communicator.log);
  const optimizer = new DistributedOptimizer(descent(), communicator, { check: false, ...options });
  for (let step = 0; step < steps; step++) {
    communicator.log.length = 0;
    optimizer.minimize(loss);
  }
  return { communicator, weights, log: communicator.log };
}

describe('gradients on the way back', () => {
  it('go on their way as soon as they are known', () => {
    const { log } = trained(2, { fusionBytes: 0 });
    expect(log).to.deep.equal([
      'start gather',
      'make gather',
      'start sum 48 of 4',
      'back through before w3',
      'start sum 32 of 4',
      'back through before w2',
      'start sum 16 of 4',
      'start sum 5 of 8',
      ...['make sum 48 of 4', 'make sum 32 of 4', 'make sum 16 of 4', 'make sum 5 of 8'],
    ]);
  });

  it('go together until there are as many bytes as is said', () => {
    const sums = ({ log }: { log: readonly string[] }) =>
      log.filter((line) => line.startsWith('start sum')).map((line) => line.slice(10));
    expect(sums(trained(2, { fusionBytes: 320 }))).to.deep.equal(['80 of 4', '16 of 4', '5 of 8']);
    expect(sums(trained(2, { fusionBytes: 319 }))).to.deep.equal(['48 of 4', '48 of 4', '5 of 8']);
    expect(sums(trained(2, {}))).to.deep.equal(['96 of 4', '5 of 8']);
  });

  it('are summed in the order of ranks, unless another is asked for', () => {
    expect(trained(2, {}).communicator.sums).to.deep.equal([{}, {}, {}, {}]);
    const sums = trained(2, { deterministic: false }, 1).communicator.sums;
    expect(sums).to.deep.equal([{}, { deterministic: false }]); // what tells of losses comes first
  });

  it('lie in memory that stays from step to step', () => {
    const communicator = new Pretend(2);
    const { loss } = layers([]);
    const optimizer = new DistributedOptimizer(descent(), communicator);
    const memories = new Set<ArrayBufferLike>();
    for (let step = 0; step < 5; step++) {
      const pairs = optimizer.computeGradients(loss);
      for (const [gradient] of pairs) memories.add((gradient as Tensor).raw.buffer);
      optimizer.applyGradients(pairs);
    }
    expect(memories.size).to.equal(1);
    expect([...memories][0]).to.be.an.instanceof(SharedArrayBuffer);
  });

  it('are the same whether ranks wait at once or later', () => {
    for (const size of [2, 3]) {
      const { weights } = trained(size, { fusionBytes: 100 }, 5);
      const alone = layers([]);
      const optimizer = descent();
      for (let step = 0; step < 5; step++) {
        // A sum of equal terms over their number: rounded as the ranks' is.
        const pairs = optimizer.computeGradients(alone.loss);
        optimizer.applyGradients(pairs.map(([gradient, w]) => [meanOf((gradient as Tensor).data, size), w]));
      }
      expect(weights.map(({ data }) => data.join())).to.deep.equal(alone.weights.map(({ data }) => data.join()));
    }
  });
});

function meanOf(x: Float32Array | Float64Array, size: number): Float32Array {
  const sum = Float32Array.from(x);
  for (let rank = 1; rank < size; rank++) x.forEach((value, i) => (sum[i] = sum[i]! + value));
  return sum.map((value) => value * Math.fround(1 / size));
}

/** What an observer is told, and what is returned. */
function observed(optimizer: Optimizer, loss: () => Tensor, varList?: readonly Variable[]) {
  const told = new Map<number, readonly number[] | null>();
  const targets: unknown[] = [];
  let begun = 0;
  const pairs = internals.observingWayBack(
    {
      begin: (given) => {
        begun++;
        targets.push(...given);
      },
      final: (target, gradient) => {
        expect(told.has(target)).to.equal(false);
        told.set(target, valuesOf(gradient));
      },
    },
    () => optimizer.computeGradients(loss, varList && { varList }),
  );
  expect(begun).to.equal(1);
  expect(targets).to.deep.equal(pairs.map(([, one]) => one));
  return { told, pairs };
}

function valuesOf(gradient: Gradient | null): number[] | null {
  if (gradient === null) return null;
  return 'indices' in gradient ? [...gradient.values.data, ...gradient.indices] : [...gradient.data];
}

describe('an observer of the way back', () => {
  const optimizers: Readonly<Record<string, () => Optimizer>> = {
    plain: descent,
    'with a loss scale': () => new MixedPrecisionLossScaleOptimizer(descent(), 7),
    'with two': () => new MixedPrecisionLossScaleOptimizer(new MixedPrecisionLossScaleOptimizer(descent(), 3), 1024),
  };

  for (const [name, make] of Object.entries(optimizers)) {
    it(`is told each gradient once, with the values that are returned (${name})`, () => {
      const step = fc.record({
        a: fc.nat(3),
        b: fc.nat(3),
        how: fc.constantFrom('add', 'mul', 'gather', 'checkpointed'),
      });
      fc.assert(
        fc.property(fc.array(step, { minLength: 1, maxLength: 8 }), fc.boolean(), (steps, hasList) => {
          const variables = [0, 1, 2, 3].map((i) => variable(noise(i, 6), { shape: [3, 2] }));
          const loss = (): Tensor => {
            let x: Tensor = ops.mul(variables[steps[0]!.a]!, 1);
            for (const { a, b, how } of steps) {
              const [left, right] = [variables[a]!, variables[b]!];
              if (how === 'add') x = ops.add(x, ops.mul(left, right));
              else if (how === 'mul') x = ops.mul(x, left);
              else if (how === 'gather') x = ops.mul(x, ops.gather(left, Int32Array.of(b % 3, 0, 2)));
              else x = ops.add(x, checkpointed(() => ops.mul(ops.tanh(left), right))());
            }
            return ops.reduceSum(x);
          };
          const { told, pairs } = observed(make(), loss, hasList ? variables : undefined);
          expect([...told.keys()].sort()).to.deep.equal([...pairs.keys()]);
          pairs.forEach(([gradient], i) => expect(told.get(i)).to.deep.equal(valuesOf(gradient)));
        }),
      );
    });
  }

  it('is not told of gradients inside of the loss', () => {
    const w = variable([1, 2]);
    const { told } = observed(descent(), () => {
      const [inner] = gradients(() => ops.square(w), [w]);
      return ops.reduceSum(ops.mul(inner as Tensor, w));
    });
    expect([...told]).to.deep.equal([[0, [4, 8]]]);
  });

  it('is not told of the next call', () => {
    const w = variable([1, 2]);
    const optimizer = descent();
    let begun = 0;
    internals.observingWayBack({ begin: () => begun++, final: () => {} }, () => {
      optimizer.computeGradients(() => ops.l2Loss(w));
      optimizer.computeGradients(() => ops.l2Loss(w));
    });
    optimizer.computeGradients(() => ops.l2Loss(w));
    expect(begun).to.equal(1);
  });
});
