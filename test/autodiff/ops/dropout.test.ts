import { expect } from 'chai';
import * as fc from 'fast-check';
import { gradients, ops, random, RandomGenerator, tensor, variable, type Tensor } from 'gradstep';
import { denseOf, expectClose, expectGradients, randomTensor } from '../../support/numeric-gradient';
import { expectSameEverywhere } from '../../support/parity';

const seeded = (seed = 1): RandomGenerator => new RandomGenerator(seed);
const values = (x: Tensor): number[] => Array.from(x.data);

describe('dropout', () => {
  it('drops at the rate and makes up for it', () => {
    for (const rate of [0.01, 0.1, 0.5, 0.9]) {
      const y = values(ops.dropout(tensor(new Float64Array(100_000).fill(1)), { rate, generator: seeded() }));
      const kept = y.filter((value) => value !== 0);
      expect(new Set(kept)).to.deep.equal(new Set([1 / (1 - rate)]));
      expect(kept.length / y.length).to.be.closeTo(1 - rate, 0.005);
    }
  });

  it('is what bernoulli says, in both dtypes, and draws anew each time', () => {
    fc.assert(
      fc.property(fc.nat(200), fc.double({ min: 0.01, max: 0.99, noNaN: true }), fc.nat(), (n, rate, seed) => {
        const [one, other] = [seeded(seed), seeded(seed)];
        for (const dtype of ['float32', 'float64', 'float32'] as const) {
          const y = ops.dropout(tensor(new Float32Array(n).fill(3), [n], dtype), { rate, generator: one });
          expect(y.dtype).to.equal(dtype);
          const isDropped = other.bernoulli([n], rate);
          expect(values(y).map((value) => (value === 0 ? 1 : 0))).to.deep.equal(values(isDropped));
        }
      }),
    );
  });

  it('of rate 0 is the identity, and draws nothing', () => {
    const generator = seeded();
    const before = generator.state();
    const x = randomTensor([4, 3]);
    expect(values(ops.dropout(x, { rate: 0, generator }))).to.deep.equal(values(x));
    expect(values(ops.dropout(x, { rate: 0, generator, noiseShape: [1, 3] }))).to.deep.equal(values(x));
    expect(generator.state()).to.deep.equal(before);
    const v = variable([1, 2]);
    expect(values(gradients(() => ops.dropout(v, { rate: 0 }), [v])[0] as Tensor)).to.deep.equal([1, 1]);
  });

  it('has a gradient that is dropped with it', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(12), { maxLength: 3 }), fc.double({ min: 0.05, max: 0.95, noNaN: true }), fc.nat(), (shape, rate, seed) => {
        expectGradients((x) => ops.dropout(x, { rate, generator: seeded(seed) }), [randomTensor(shape)]);
      }), // prettier-ignore
      { numRuns: 20 },
    );
    const x = variable([NaN, Infinity, 1, 2, 3, 4, 5, 6]);
    const generator = seeded();
    let y: number[] = [];
    const [gradient] = gradients(() => {
      const dropped = ops.dropout(x, { rate: 0.5, generator });
      y = values(dropped);
      return dropped;
    }, [x]);
    const isDropped = values(seeded().bernoulli([8], 0.5));
    expect([...denseOf(gradient)]).to.deep.equal(isDropped.map((dropped) => (dropped === 1 ? 0 : 2)));
    expect(y).to.deep.equal(isDropped.map((dropped, i) => (dropped === 1 ? 0 : x.data[i]! * 2)));
  });

  it('drops whole dimensions where the noise has size 1', () => {
    const x = randomTensor([5, 4, 3]);
    const ones = tensor(new Float64Array(60).fill(1), [5, 4, 3]);
    const y = ops.dropout(ones, { rate: 0.5, noiseShape: [null, 1, 3], generator: seeded() });
    const mask = ops.dropout(tensor(new Float64Array(15).fill(1), [5, 1, 3]), { rate: 0.5, generator: seeded() });
    expectClose(y.data, ops.mul(ones, mask).data, 0);
    expect(values(y)).to.include.members([0, 2]);
    expectGradients((z) => ops.dropout(z, { rate: 0.3, noiseShape: [5, 1, 1], generator: seeded() }), [x]);
    const [whole, same] = [{}, { noiseShape: [5, null, 3] }].map((noise) => ops.dropout(x, { rate: 0.5, generator: seeded(), ...noise })); // prettier-ignore
    expectClose(whole!.data, same!.data, 0);
  });

  it('takes its numbers from random by default, a seed of its own from a sequence of its own', () => {
    const x = new Float32Array(64).fill(1);
    random.seed(5);
    const plain = values(ops.dropout(x, { rate: 0.5 }));
    const own = [0, 1].map(() => values(ops.dropout(x, { rate: 0.5, seed: 3 })));
    expect(plain).to.deep.equal(values(ops.dropout(x, { rate: 0.5, generator: seeded(5) })));
    random.seed(5);
    const again = [0, 1].map(() => values(ops.dropout(x, { rate: 0.5, seed: 3 })));
    expect(again).to.deep.equal(own);
    expect(own[0]).not.to.deep.equal(own[1]);
    expect(values(ops.dropout(x, { rate: 0.5 }))).to.deep.equal(plain);
  });

  it('gives the same bits everywhere, back and forth', () => {
    for (const size of [33, 70_001]) {
      const x = variable(new Float32Array(size).fill(0.3));
      expectSameEverywhere(`dropout of ${size}`, () => {
        const generator = seeded();
        const seen: Float32Array[] = [];
        const [gradient] = gradients(() => {
          const y = ops.dropout(x, { rate: 0.2, generator });
          seen.push(y.data.slice() as Float32Array);
          return ops.square(y);
        }, [x]);
        return [...seen, (gradient as Tensor).data];
      });
    }
  });

  it('refuses what is no rate, no noise and no generator, and draws nothing', () => {
    const generator = seeded();
    const before = generator.state();
    const x = randomTensor([2, 3]);
    const refuse = (options: object, kind: typeof TypeError | typeof RangeError, message: string): void => {
      expect(() => ops.dropout(x, { rate: 0.5, generator, ...options })).to.throw(kind, message);
    };
    refuse({ rate: 1 }, RangeError, 'rate must be a number in [0, 1), got 1');
    refuse({ rate: -0.1 }, RangeError, 'rate must be a number in [0, 1)');
    refuse({ rate: NaN }, RangeError, 'rate must be a number in [0, 1)');
    refuse({ rate: undefined }, TypeError, 'rate must be a number, got undefined');
    refuse({ seed: 0.5 }, RangeError, 'seed must be a whole number');
    refuse({ generator: {} }, TypeError, 'generator must be a RandomGenerator, got an Object');
    refuse({ noiseShape: [2] }, RangeError, "noiseShape must have x's sizes [2, 3] or 1, got [2]");
    refuse({ noiseShape: [3, 1] }, RangeError, "noiseShape must have x's sizes [2, 3] or 1, got [3, 1]");
    refuse({ noiseShape: 1 }, TypeError, 'noiseShape must be an array of sizes, got 1');
    refuse({ keepProb: 0.5 }, TypeError, "there is no 'keepProb', it is 1 - rate");
    expect(() => ops.dropout(x, 0.5 as never)).to.throw(
      TypeError,
      'options must be an object, got 0.5: write { rate: 0.5 }',
    );
    expect(() => ops.dropout(x, undefined as never)).to.throw(TypeError, 'rate must be a number, got undefined');
    const [left, leaving] = [tensor([1, 2, 3, 4]), tensor([1, 2, 3, 4])];
    left.dispose();
    structuredClone(leaving.data.buffer, { transfer: [leaving.data.buffer as ArrayBuffer] });
    for (const x of [left, leaving]) expect(() => ops.dropout(x, { rate: 0.5, generator })).to.throw(Error, 'tensor');
    expect(() => ops.dropout(null as never, { rate: 0.5 })).to.throw(TypeError, 'x must be a Tensor');
    expect(generator.state()).to.deep.equal(before);
  });
});
