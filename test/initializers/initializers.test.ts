import { expect } from 'chai';
import * as fc from 'fast-check';
import { initializers, random, RandomGenerator, variable, type Initializer, type Tensor } from 'gradstep';

const momentsOf = (t: Tensor): { mean: number; variance: number; most: number } => {
  const values = Array.from(t.data);
  const mean = values.reduce((sum, x) => sum + x, 0) / t.size;
  const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / t.size;
  return { mean, variance, most: values.reduce((most, x) => Math.max(most, Math.abs(x)), 0) };
};

type Scaled = 'glorotUniform' | 'glorotNormal' | 'heUniform' | 'heNormal' | 'lecunUniform' | 'lecunNormal';

// [fan in, fan out] -> variance
const variances: Record<Scaled, (fanIn: number, fanOut: number) => number> = {
  glorotUniform: (a, b) => 2 / (a + b),
  glorotNormal: (a, b) => 2 / (a + b),
  heUniform: (a) => 2 / a,
  heNormal: (a) => 2 / a,
  lecunUniform: (a) => 1 / a,
  lecunNormal: (a) => 1 / a,
};

const shapes: { shape: number[]; fans: [number, number] }[] = [
  { shape: [120, 300], fans: [120, 300] },
  { shape: [3, 5, 40, 60], fans: [600, 900] },
  { shape: [9, 70, 60], fans: [630, 540] },
  { shape: [40_000], fans: [40_000, 40_000] },
];

describe('initializers', () => {
  for (const [name, varianceOf] of Object.entries(variances) as [Scaled, (a: number, b: number) => number][]) {
    it(`${name} has the variance that its fans give`, () => {
      for (const { shape, fans } of shapes) {
        const values = initializers[name]({ generator: new RandomGenerator(1) })(shape);
        const expected = varianceOf(...fans);
        const { mean, variance, most } = momentsOf(values);
        expect(Math.abs(mean)).to.be.below(5 * Math.sqrt(expected / values.size));
        expect(variance / expected).to.be.within(0.95, 1.05);
        // Uniform numbers end at √3 standard deviations, truncated ones at 2 of the untruncated distribution.
        const end = name.endsWith('Uniform') ? Math.sqrt(3) : 2 / 0.87962566103423978;
        expect(most).to.be.within(0.95 * end * Math.sqrt(expected), end * Math.sqrt(expected) * (1 + 1e-6));
      }
    });
  }

  it('varianceScaling takes each mode and distribution, and a fan of at least 1', () => {
    const generator = new RandomGenerator(3);
    const scaling = { fanIn: 200, fanOut: 300, fanAvg: 250 };
    for (const mode of ['fanIn', 'fanOut', 'fanAvg'] as const) {
      for (const distribution of ['truncatedNormal', 'untruncatedNormal', 'uniform'] as const) {
        const values = initializers.varianceScaling({ scale: 3, mode, distribution, generator })([200, 300], 'float64');
        expect((momentsOf(values).variance * scaling[mode]) / 3, `${mode} ${distribution}`).to.be.within(0.97, 1.03);
      }
    }
    expect(initializers.varianceScaling()([0, 4]).shape).to.deep.equal([0, 4]);
    expect(initializers.varianceScaling()([]).shape).to.deep.equal([]);
  });

  it('orthogonal gives orthonormal columns or rows, times the gain', () => {
    const size = fc.integer({ min: 1, max: 24 });
    fc.assert(
      fc.property(size, size, fc.constantFrom(1, 0.5, -2), (rows, columns, gain) => {
        const values = initializers.orthogonal({ gain })([rows, columns], 'float64');
        const [n, k] = [Math.min(rows, columns), Math.max(rows, columns)];
        const at = (i: number, p: number): number => values.data[rows < columns ? i * columns + p : p * columns + i]!;
        for (let i = 0; i < n; i++) {
          for (let j = 0; j < n; j++) {
            let dot = 0;
            for (let p = 0; p < k; p++) dot += at(i, p) * at(j, p);
            expect(dot).to.be.closeTo(i === j ? gain * gain : 0, 1e-12);
          }
        }
      }),
      { numRuns: 60 },
    );
    expect(initializers.orthogonal()([3, 3, 4, 8]).shape).to.deep.equal([3, 3, 4, 8]);
  });

  it('orthogonal prefers no sign and no direction', () => {
    const generator = new RandomGenerator(8);
    let [trace, square] = [0, 0];
    for (let i = 0; i < 2_000; i++) {
      const { data } = initializers.orthogonal({ generator })([3, 3], 'float64');
      trace += data[0]! + data[4]! + data[8]!;
      square += data[0]! ** 2;
    }
    expect(Math.abs(trace / 6_000)).to.be.below(0.03);
    expect(square / 2_000).to.be.closeTo(1 / 3, 0.03);
  });

  it('give the same numbers for the same seed, and others each time', () => {
    const all: Record<string, (seed: number) => Initializer> = {
      randomUniform: (seed) => initializers.randomUniform({ seed, minval: -1, maxval: 1 }),
      randomNormal: (seed) => initializers.randomNormal({ seed }),
      truncatedNormal: (seed) => initializers.truncatedNormal({ seed }),
      heNormal: (seed) => initializers.heNormal({ seed }),
      orthogonal: (seed) => initializers.orthogonal({ seed }),
    };
    for (const [name, make] of Object.entries(all)) {
      random.seed(4);
      const [first, second, other] = [make(1), make(1), make(2)].map((initializer) => [...initializer([4, 4]).data]);
      random.seed(4);
      expect([...make(1)([4, 4]).data], name).to.deep.equal(first);
      expect(second, name).not.to.deep.equal(first);
      expect(other, name).not.to.deep.equal(first);
    }
  });

  it('make start values of variables', () => {
    const w = variable(initializers.truncatedNormal({ mean: 3, stddev: 0.1 })([10, 10]), { name: 'w' });
    expect(Math.min(...w.data)).to.be.above(2.79);
    expect(Math.max(...w.data)).to.be.below(3.21);
    expect(initializers.identity({ gain: 2 })([2, 3], 'float64').toArray()).to.deep.equal([[2, 0, 0], [0, 2, 0]]); // prettier-ignore
    expect([...initializers.zeros()([2]).data, ...initializers.ones()([2]).data]).to.deep.equal([0, 0, 1, 1]);
    expect(initializers.constant(-0.5)([], 'float64').item()).to.equal(-0.5);
  });

  it('refuse what they cannot use, with its name', () => {
    expect(() => initializers.varianceScaling({ scale: 0 })).to.throw(RangeError, 'scale must be a positive number');
    expect(() => initializers.varianceScaling({ mode: 'fan_in' as never })).to.throw(RangeError, "mode must be one of 'fanIn'"); // prettier-ignore
    expect(() => initializers.varianceScaling({ distribution: 'normal' as never })).to.throw(
      RangeError,
      'distribution',
    );
    expect(() => initializers.heNormal({ gain: 1 } as never)).to.throw(TypeError, 'gain');
    expect(() => initializers.orthogonal()([3])).to.throw(RangeError, 'shape is [3]: it must have at least two dimensions'); // prettier-ignore
    expect(() => initializers.identity()([3])).to.throw(RangeError, 'two dimensions');
    expect(() => initializers.randomNormal({ generator: {} as never })).to.throw(TypeError, 'a RandomGenerator');
    expect(() => initializers.zeros()([2], 'int8' as never)).to.throw(
      TypeError,
      "dtype must be 'float32' or 'float64'",
    );
    expect(() => initializers.zeros()([-1])).to.throw(RangeError, 'shape');
    expect(() => initializers.randomUniform({ minval: 1, maxval: 0 })([2])).to.throw(
      RangeError,
      'low must be below high',
    );
  });
});
