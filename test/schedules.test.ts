import { expect } from 'chai';
import * as fc from 'fast-check';
import {
  cosineDecay,
  cosineDecayRestarts,
  createGlobalStep,
  exponentialDecay,
  GradientDescentOptimizer,
  inverseTimeDecay,
  linearCosineDecay,
  linearWarmup,
  naturalExpDecay,
  noisyLinearCosineDecay,
  piecewiseConstant,
  piecewiseConstantDecay,
  polynomialDecay,
  tensor,
  variable,
} from 'gradstep';

const all = {
  exponentialDecay: (step: number) => exponentialDecay(0.1, step, 10, 0.5)(),
  naturalExpDecay: (step: number) => naturalExpDecay(0.1, step, 10, 0.5)(),
  inverseTimeDecay: (step: number) => inverseTimeDecay(0.1, step, 10, 0.5)(),
  polynomialDecay: (step: number) => polynomialDecay(0.1, step, 10, { power: 2 })(),
  cosineDecay: (step: number) => cosineDecay(0.1, step, 10, { alpha: 0.1 })(),
  linearCosineDecay: (step: number) => linearCosineDecay(0.1, step, 10)(),
  piecewiseConstant: (step: number) => piecewiseConstant(step, [3, 6], [0.1, 0.01, 0.001])(),
};

describe('learning-rate decays', () => {
  for (const [name, decay] of Object.entries(all)) {
    it(`${name} starts near the learning rate and never rises`, () => {
      expect(decay(0)).to.be.closeTo(0.1, 1e-3);
      fc.assert(fc.property(fc.nat(100), (step) => decay(step + 1) <= decay(step)));
    });
  }

  it('follow a GlobalStep, and a learning rate that is a function', () => {
    const globalStep = createGlobalStep();
    let base = 1;
    const rate = exponentialDecay(() => base, globalStep, 1, 0.5);
    const v = variable([0]);
    const optimizer = new GradientDescentOptimizer({ learningRate: rate });
    const moves: number[] = [];
    for (let i = 0; i < 3; i++) {
      const before = v.item();
      optimizer.applyGradients([[tensor([-1]), v]], { globalStep });
      moves.push(v.item() - before);
    }
    expect(moves).to.deep.equal([1, 0.5, 0.25]);
    base = 8;
    expect(rate()).to.equal(1);
  });

  it('linearWarmup rises in a line to the learning rate, which goes its own way from there', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.constantFrom(0, 0.1, 1, 2),
        fc.nat(100),
        (warmup, start, step) => {
          const base = cosineDecay(0.5, step, 80);
          const factor = step >= warmup ? 1 : start + ((1 - start) * step) / warmup;
          expect(linearWarmup(base, step, warmup, { startFactor: start })()).to.equal(base() * factor);
        },
      ),
    );
    const globalStep = createGlobalStep();
    const rate = linearWarmup(0.8, globalStep, 4);
    const seen = Array.from({ length: 6 }, () => (globalStep.increment(), rate()));
    expect(seen).to.deep.equal([0.2, 0.4, 0.8 * 0.75, 0.8, 0.8, 0.8]);
    expect(() => linearWarmup(1, 0, 0)).to.throw(RangeError, 'warmupSteps must be finite and positive');
    expect(() => linearWarmup(1, 0, 1, { startFactor: NaN })).to.throw(RangeError, 'startFactor');
    expect(() => linearWarmup(1, 0, 1, { start: 1 } as never)).to.throw(TypeError, "there is no 'start'");
  });

  it('tell steps apart that float32 cannot hold', () => {
    const step = 2 ** 24;
    expect(polynomialDecay(1, step + 1, 2 ** 25)()).to.be.below(polynomialDecay(1, step, 2 ** 25)());
  });

  it('with staircase change at multiples of decaySteps only', () => {
    const at = (step: number) => exponentialDecay(1, step, 10, 0.5, { staircase: true })();
    expect([0, 9, 10, 19, 20].map(at)).to.deep.equal([1, 1, 0.5, 0.5, 0.25]);
    const natural = (step: number) => naturalExpDecay(1, step, 10, 1, { staircase: true })();
    expect([9, 10].map(natural)).to.deep.equal([1, Math.exp(-1)]);
  });

  it('polynomialDecay with cycle falls to its end at every multiple of decaySteps, and rises after it', () => {
    const at = (step: number) => polynomialDecay(1, step, 10, { endLearningRate: 0.1, cycle: true })();
    expect([10, 20, 30].map(at)).to.deep.equal([0.1, 0.1, 0.1]);
    expect(at(11)).to.be.closeTo(0.9 * (1 - 11 / 20) + 0.1, 1e-15);
  });

  it('piecewiseConstant has a boundary belong to the value before it, also for negative steps', () => {
    const at = (step: number) => piecewiseConstant(step, [-1, 100], [3, 2, 1])();
    expect([-5, -1, 0, 100, 101].map(at)).to.deep.equal([3, 3, 2, 2, 1]);
    expect(piecewiseConstantDecay).to.equal(piecewiseConstant);
  });

  it('cosineDecayRestarts starts every cycle at exactly its step, whatever tMul', () => {
    for (const [first, tMul] of [
      [1000, 2],
      [10, 1.5],
      [1000, 1.1],
      [7, 3],
      [100, 1.3],
      [3, 1],
    ] as const) {
      // prettier-ignore
      let start = 0;
      let length = first as number;
      for (let cycle = 0; cycle < 12; cycle++) {
        start += length;
        length *= tMul;
        const step = Math.round(start);
        if (Math.abs(start - step) > 1e-6 * start) continue; // the cycle starts between two steps
        const at = (s: number) => cosineDecayRestarts(1, s, first, { tMul, mMul: 0.5 })();
        expect(at(step), `first ${first}, tMul ${tMul}, step ${step}`).to.equal(0.5 ** (cycle + 1));
        expect(at(step - 1)).to.be.below(0.5 ** (cycle + 1));
      }
    }
  });

  it('cosineDecayRestarts stays between 0 and the learning rate', () => {
    const arbitrary = [fc.double({ min: 0, max: 1e9, noNaN: true }), fc.integer({ min: 1, max: 1e6 })] as const;
    fc.assert(
      fc.property(...arbitrary, fc.double({ min: 1, max: 10, noNaN: true }), (step, first, tMul) => {
        const rate = cosineDecayRestarts(1, step, first, { tMul })();
        return rate >= 0 && rate <= 1;
      }),
    );
  });

  describe('noisyLinearCosineDecay', () => {
    it('without variance is linearCosineDecay', () => {
      for (const step of [0, 3, 10, 20]) {
        expect(noisyLinearCosineDecay(1, step, 10, { initialVariance: 0 })()).to.equal(
          linearCosineDecay(1, step, 10)(),
        );
      }
    });

    it('has the same noise for the same seed and step, and other noise for others', () => {
      const at = (seed: number, step: number) => noisyLinearCosineDecay(1, step, 1e6, { seed, alpha: 10 })();
      expect(at(1, 5)).to.equal(at(1, 5));
      const values = [1, 2].flatMap((seed) => [0, 1, 2, 3].map((step) => at(seed, step)));
      expect(new Set(values).size).to.equal(8);
    });

    it('has normal noise of the variance asked for', () => {
      const rate = (seed: number) =>
        noisyLinearCosineDecay(1, 0, 10, { seed, initialVariance: 4, alpha: 99, beta: 0 })() - 100;
      const noise = Array.from({ length: 20_000 }, (_, seed) => rate(seed));
      const mean = noise.reduce((sum, x) => sum + x, 0) / noise.length;
      const variance = noise.reduce((sum, x) => sum + (x - mean) ** 2, 0) / noise.length;
      expect(mean).to.be.closeTo(0, 0.06);
      expect(variance).to.be.closeTo(4, 0.2);
      const beyondTwo = noise.filter((x) => Math.abs(x) > 4).length / noise.length;
      expect(beyondTwo).to.be.closeTo(0.0455, 0.006);
    });

    it('takes normal numbers from random, by variance / (1 + step)^varianceDecay, and stops at 0', () => {
      const rate = (noise: number, step: number) =>
        noisyLinearCosineDecay(1, step, 8, { random: () => noise, initialVariance: 4, varianceDecay: 1, beta: 0 })();
      expect(rate(0.5, 0)).to.equal(2);
      expect(rate(1, 3)).to.be.closeTo((5 / 8 + 1) * 0.5 * (1 + Math.cos((Math.PI * 3) / 8)), 1e-15);
      expect(rate(-9, 0)).to.equal(0);
    });
  });

  it('refuse arguments by name', () => {
    const any = (value: unknown) => value as number;
    expect(() => exponentialDecay(any('1'), 0, 10, 0.5)).to.throw(
      TypeError,
      'learningRate must be a number or a function',
    );
    expect(() => exponentialDecay(NaN, 0, 10, 0.5)).to.throw(RangeError, 'learningRate must be finite, got NaN');
    expect(() => exponentialDecay(1, any(null), 10, 0.5)).to.throw(TypeError, 'globalStep must be a GlobalStep');
    expect(() => exponentialDecay(1, -1, 10, 0.5)).to.throw(RangeError, 'globalStep');
    expect(() => exponentialDecay(1, 0, 0, 0.5)).to.throw(RangeError, 'decaySteps must be finite and positive, got 0');
    expect(() => exponentialDecay(1, 0, 10, any(undefined))).to.throw(TypeError, 'decayRate must be a number');
    expect(() => exponentialDecay(1, 0, 10, 1, { staircase: any(1) as unknown as boolean })).to.throw(
      TypeError,
      'staircase',
    );
    expect(() => exponentialDecay(1, 0, 10, 1, { name: any(1) as unknown as string })).to.throw(TypeError, 'name');
    expect(() => polynomialDecay(1, 0, 10, { power: any('2') })).to.throw(TypeError, 'power');
    expect(() => cosineDecayRestarts(1, 0, -1)).to.throw(RangeError, 'firstDecaySteps');
    expect(() => cosineDecayRestarts(1, 0, 1, { tMul: 0.5 })).to.throw(
      RangeError,
      'tMul must be finite and at least 1',
    );
    expect(() => linearCosineDecay(1, 0, 1, { numPeriods: NaN })).to.throw(RangeError, 'numPeriods');
    expect(() => noisyLinearCosineDecay(1, 0, 1, { seed: 0.5 })).to.throw(RangeError, 'seed must be a whole number');
    expect(() => noisyLinearCosineDecay(1, 0, 1, { initialVariance: -1 })).to.throw(RangeError, 'initialVariance');
    expect(() => piecewiseConstant(0, [1, 2], [1, 2])).to.throw(
      RangeError,
      'one element more than boundaries, got 2 and 2',
    );
    expect(() => piecewiseConstant(0, [2, 2], [1, 2, 3])).to.throw(
      RangeError,
      'boundaries must increase, got 2, then 2',
    );
    expect(() => piecewiseConstant(0, [any('1')], [1, 2])).to.throw(TypeError, 'boundaries');
    expect(exponentialDecay(() => any('x'), 0, 10, 1)).to.throw(TypeError, 'learningRate');
    expect(exponentialDecay(1, () => NaN, 10, 1)).to.throw(RangeError, 'globalStep');
    expect(noisyLinearCosineDecay(1, 0, 1, { random: () => any('x') })).to.throw(TypeError, 'random()');
  });
});
