import { expect } from 'chai';
import fc from 'fast-check';
import {
  AdamOptimizer,
  clipByAverageNorm,
  clipByGlobalNorm,
  clipByNorm,
  clipByValue,
  globalNorm,
  gradients,
  GradientsAndVariables,
  IndexedSlices,
  ops,
  tensor,
  unzip,
  variable,
  Variable,
  zip,
  type Tensor,
} from 'gradstep';
import { expectGradients } from './support/numeric-gradient';

const numbers = (t: { data: ArrayLike<number> }): number[] => Array.from(t.data);
const close = (actual: ArrayLike<number>, expected: readonly number[], tolerance = 1e-6): void => {
  expect(actual.length).to.equal(expected.length);
  expected.forEach((value, i) => {
    if (Number.isNaN(value)) expect(actual[i]).to.be.NaN;
    else expect(actual[i]).to.be.closeTo(value, tolerance * (1 + Math.abs(value)));
  });
};

// What TensorFlow's formulas give for data and norms that make no sense; NaN marks where it gives NaN.
const degenerate = [
  { data: [3, 4], clip: 0, norm: [0, 0], global: [0, 0], average: [0, 0] },
  { data: [0, 0], clip: 0, norm: [NaN, NaN], global: [NaN, NaN], average: [NaN, NaN] },
  { data: [3, 4], clip: Infinity, norm: [NaN, NaN], global: [NaN, NaN], average: [NaN, NaN] },
  { data: [3, 4], clip: NaN, norm: [NaN, NaN], global: [NaN, NaN], average: [NaN, NaN] },
  { data: [3, 4], clip: -1, norm: [-0.6, -0.8], global: [3, 4], average: [3, 4] },
  { data: [0, 0], clip: -1, norm: [NaN, NaN], global: [0, 0], average: [0, 0] },
  { data: [Infinity, 1], clip: 1, norm: [NaN, 0], global: [NaN, NaN], average: [NaN, 0] },
  { data: [NaN, 1], clip: 1, norm: [NaN, NaN], global: [NaN, NaN], average: [NaN, NaN] },
  { data: [0, 0], clip: 1, norm: [0, 0], global: [0, 0], average: [0, 0] },
];

describe('clipping of degenerate data', () => {
  for (const { data, clip, norm, global, average } of degenerate) {
    it(`[${data.join(', ')}] by ${clip} is what TensorFlow makes of it`, () => {
      for (const values of [Float32Array.from(data), Float64Array.from(data)]) {
        close(clipByNorm(values, clip), norm);
        close(clipByNorm(tensor(values), clip).data, norm);
        close(clipByNorm(tensor(values), clip, { axes: 0 }).data, norm);
        close(clipByGlobalNorm([values], clip)[0][0], global);
        close(clipByGlobalNorm([tensor(values)], clip)[0][0].data, global);
        close(clipByAverageNorm(values, clip), average);
      }
    });
  }

  it('squares of large float32 values do not overflow, unlike TensorFlow', () => {
    const [clipped, norm] = clipByGlobalNorm([Float32Array.of(1e20, 1)], 1);
    expect(norm).to.be.closeTo(1e20, 1e13);
    close(clipped[0], [1, 1e-20]);
  });
});

describe('clipByValue', () => {
  it('brings values between the bounds, and lets the lower one win', () => {
    close(clipByValue(Float32Array.of(-3, 0, 3, NaN, Infinity), -1, 2), [-1, 0, 2, NaN, 2]);
    close(clipByValue(Float32Array.of(-3, 0, 3), 2, 1), [2, 2, 2]);
  });

  it('takes bounds that broadcast', () => {
    const t = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect(clipByValue(t, tensor([2, 2, 2]), tensor([[3], [5]])).toArray()).to.deep.equal([
      [2, 2, 3],
      [4, 5, 5],
    ]);
    expect(() => clipByValue(tensor([[1], [2]]), 0, tensor([1, 2, 3]))).to.throw(
      RangeError,
      'clipValueMax has shape [3], which does not broadcast to [2, 1]',
    );
  });

  it('clips only what IndexedSlices store, and keeps their indices', () => {
    const slices = new IndexedSlices(
      [
        [1, 9],
        [-9, 2],
      ],
      [3, 1],
      [5, 2],
    );
    const clipped = clipByValue(slices, 0, 4);
    expect(clipped.values.toArray()).to.deep.equal([
      [1, 4],
      [0, 2],
    ]);
    expect(clipped.indices).to.equal(slices.indices);
    expect(clipped.denseShape).to.equal(slices.denseShape);
  });
});

describe('clipByNorm', () => {
  it('brings the norm down to clipNorm and leaves shorter ones alone', () => {
    close(clipByNorm(Float32Array.of(-3, 0, 0, 4, 0, 0), 4), [-2.4, 0, 0, 3.2, 0, 0]);
    expect([...clipByNorm(Float32Array.of(0.1, 0.2), 41)]).to.deep.equal([...Float32Array.of(0.1, 0.2)]);
  });

  it('takes norms along axes, counted from either end', () => {
    const t = tensor([
      [-3, 0, 0],
      [4, 0, 3],
    ]);
    const expected = [
      [-2, 0, 0],
      [1.6, 0, 1.2],
    ];
    for (const axes of [1, -1, [1], [-1]]) close(numbers(clipByNorm(t, 2, { axes })), expected.flat());
    close(numbers(clipByNorm(t, 4, { axes: 0 })), [-2.4, 0, 0, 3.2, 0, 3]);
    close(numbers(clipByNorm(t, 4, { axes: [0, 1] })), numbers(clipByNorm(t, 4)));
    expect(() => clipByNorm(t, 2, { axes: 2 })).to.throw(RangeError, 'axes must lie in [-2, 2)');
  });

  it('does not sum repeated rows of IndexedSlices first', () => {
    const clipped = clipByNorm(new IndexedSlices([3, 4], [0, 0], [1]), 2.5);
    close(numbers(clipped.values), [1.5, 2]);
  });
});

describe('clipByAverageNorm', () => {
  it('divides the norm by the number of elements', () => {
    close(clipByAverageNorm(Float32Array.of(-3, 0, 0, 4, 0, 0), 0.8), [-2.88, 0, 0, 3.84, 0, 0]);
  });

  it('makes IndexedSlices dense, repeated rows summed', () => {
    const clipped: Tensor = clipByAverageNorm(new IndexedSlices([3, 1, 1], [0, 2, 2], [4]), 100);
    expect(clipped.toArray()).to.deep.equal([3, 0, 2, 0]);
    expect(() => clipByAverageNorm(new IndexedSlices([3], [0]), 1)).to.throw(Error, 'without a denseShape');
  });
});

describe('clipByGlobalNorm', () => {
  it('scales all entries alike, keeps nulls and kinds, and tells the norm', () => {
    const slices = new IndexedSlices([1, -2], [7, 7]);
    const list = [
      tensor([
        [-2, 0, 0],
        [4, 0, 0],
      ]),
      null,
      slices,
    ] as const;
    const [clipped, norm] = clipByGlobalNorm(list, 4);
    expect(norm).to.equal(5);
    close(numbers(clipped[0]), [-1.6, 0, 0, 3.2, 0, 0]);
    expect(clipped[1]).to.equal(null);
    close(numbers(clipped[2].values), [0.8, -1.6]);
    expect(clipped[2].indices).to.equal(slices.indices);
    expect(globalNorm(list)).to.equal(5);
  });

  it('takes a gradient that is undefined for none, in lists and in pairs', () => {
    const v = variable([0, 0]);
    const missing = undefined as unknown as null;
    expect(clipByGlobalNorm([missing, tensor([3, 4])], 1)[0][0]).to.equal(null);
    const [pairs, norm] = clipByGlobalNorm([[missing, v] as const, [tensor([3, 4]), variable([0, 0])] as const], 1);
    expect(norm).to.equal(5);
    expect(pairs[0]).to.deep.equal([null, v]);
    expect(globalNorm([missing, tensor([3, 4])])).to.equal(5);
  });

  it('leaves every bit alone when nothing is clipped, for clip norms whose inverse is not exact too', () => {
    fc.assert(
      fc.property(
        fc.float32Array({ noNaN: true, noDefaultInfinity: true, min: -1, max: 1 }),
        fc.integer({ min: 41, max: 123 }),
        (values, clip) => {
          const [[clipped]] = clipByGlobalNorm([values], clip + values.length);
          expect(Buffer.from(clipped.buffer).equals(Buffer.from(values.slice().buffer))).to.equal(true);
        },
      ),
    );
  });

  it('never leaves a norm above clipNorm (but for rounding), whatever the list', () => {
    const values = fc.float32Array({
      noNaN: true,
      noDefaultInfinity: true,
      min: Math.fround(-1e15),
      max: Math.fround(1e15),
    });
    fc.assert(
      fc.property(fc.array(values, { maxLength: 5 }), fc.double({ min: 1e-3, max: 1e3, noNaN: true }), (list, clip) => {
        const [clipped, norm] = clipByGlobalNorm(list, clip);
        expect(globalNorm(clipped)).to.be.at.most(Math.min(norm, clip) * (1 + 1e-6) + 1e-30);
      }),
    );
  });

  it('uses the norm it is given', () => {
    expect(clipByGlobalNorm([Float32Array.of(3, 4)], 2, { useNorm: 10 })[1]).to.equal(10);
    close(clipByGlobalNorm([Float32Array.of(3, 4)], 2, { useNorm: 10 })[0][0], [0.6, 0.8]);
    close(clipByGlobalNorm([Float32Array.of(3, 4)], 2, { useNorm: 0 })[0][0], [3, 4]);
    close(clipByGlobalNorm([Float32Array.of(3, 4)], 2, { useNorm: -5 })[0][0], [-1.2, -1.6]);
    close(clipByGlobalNorm([Float32Array.of(3, 4)], 2, { useNorm: Infinity })[0][0], [NaN, NaN]);
  });

  it('of an empty list, or one of nulls, is that list and 0', () => {
    expect(clipByGlobalNorm([], 1)).to.deep.equal([[], 0]);
    expect(clipByGlobalNorm([null, null], 1)).to.deep.equal([[null, null], 0]);
  });

  it('takes what computeGradients returns and gives one back', () => {
    const [v, w] = [variable([3, 0]), variable([0, 4])];
    const optimizer = new AdamOptimizer();
    const gradsAndVars = optimizer.computeGradients(() => ops.add(ops.l2Loss(v), ops.l2Loss(w)));
    const [clipped, norm] = clipByGlobalNorm(gradsAndVars, 1);
    expect(norm).to.equal(5);
    expect(clipped).to.be.instanceOf(GradientsAndVariables);
    expect(clipped.loss).to.equal(gradsAndVars.loss);
    expect(clipped.map(([, variable]) => variable)).to.deep.equal([v, w]);
    const [gradients, variables] = unzip(gradsAndVars);
    const [list] = clipByGlobalNorm(gradients, 1);
    expect(zip(list, variables).map(([g]) => (g as Tensor).toArray())).to.deep.equal(
      clipped.map(([g]) => (g as Tensor).toArray()),
    );
  });

  it('writes and allocates no array for tensors: the result is the same memory with another factor', () => {
    const t = tensor(new Float32Array(1 << 20).fill(1));
    const before = process.memoryUsage().arrayBuffers;
    const [[clipped]] = clipByGlobalNorm([t], 1);
    const byNorm = clipByNorm(t, 1);
    expect(process.memoryUsage().arrayBuffers - before).to.be.below(1 << 16);
    expect(clipped.raw).to.equal(t.raw);
    expect(byNorm.raw).to.equal(t.raw);
    expect(t.data[0]).to.equal(1);
    expect(clipped.data[0]).to.equal(2 ** -10);
  });

  it('clips what was clipped before', () => {
    const [[once]] = clipByGlobalNorm([tensor([30, 40])], 5);
    const [[twice], norm] = clipByGlobalNorm([once], 1);
    expect(norm).to.be.closeTo(5, 1e-6);
    close(numbers(twice), [0.6, 0.8]);
  });
});

describe('clipping in place', () => {
  it('writes into the memory it was given and returns it', () => {
    for (const buffer of [new ArrayBuffer(8), new SharedArrayBuffer(8)]) {
      const array = new Float32Array(buffer);
      array.set([3, 4]);
      expect(clipByNorm(array, 1, { inPlace: true })).to.equal(array);
      close(array, [0.6, 0.8]);
      expect(clipByValue(array, 0, 0.7, { inPlace: true })).to.equal(array);
      close(array, [0.6, 0.7]);
      array.set([3, 4]);
      const v = Variable.over(array);
      expect(clipByGlobalNorm([v, null], 1, { inPlace: true })[0][0]).to.equal(v);
      close(array, [0.6, 0.8]);
      array.set([3, 4]);
      clipByAverageNorm(array, 1.25, { inPlace: true });
      close(array, [1.5, 2]);
    }
    const t = tensor([
      [3, 4],
      [0, 1],
    ]);
    expect(clipByNorm(t, 2.5, { axes: 1, inPlace: true })).to.equal(t);
    close(numbers(t), [1.5, 2, 0, 1]);
  });

  it('leaves the input alone when not asked to', () => {
    const array = Float64Array.of(3, 4);
    clipByNorm(array, 1);
    clipByValue(array, 0, 1);
    clipByGlobalNorm([array], 1);
    clipByAverageNorm(array, 0.1);
    expect([...array]).to.deep.equal([3, 4]);
  });
});

describe('clipping refuses', () => {
  it('norms and bounds that are no numbers, by name', () => {
    const t = Float32Array.of(1);
    const bad = '5' as unknown as number;
    expect(() => clipByNorm(t, bad)).to.throw(TypeError, 'clipNorm must be a number, got "5"');
    expect(() => clipByGlobalNorm([t], bad)).to.throw(TypeError, 'clipNorm must be a number, got "5"');
    expect(() => clipByAverageNorm(t, bad)).to.throw(TypeError, 'clipNorm must be a number, got "5"');
    expect(() => clipByValue(t, bad, 1)).to.throw(
      TypeError,
      'clipValueMin must be a number, a Tensor or a typed array',
    );
    expect(() => clipByGlobalNorm([t], 1, { useNorm: bad })).to.throw(TypeError, 'useNorm must be a number, got "5"');
    expect(() => clipByNorm(t, 1, { inPlace: 1 as unknown as boolean })).to.throw(
      TypeError,
      'inPlace must be a boolean',
    );
  });

  it('memory that was taken away under a gradient', () => {
    const array = Float32Array.of(1, 2);
    const slices = new IndexedSlices(array, [0, 1]);
    structuredClone(array.buffer, { transfer: [array.buffer] });
    expect(() => globalNorm([slices])).to.throw(Error, "a tensor's memory now has 0 elements, expected 2");
  });

  it('what is no tensor, and lists that are no arrays', () => {
    expect(() => clipByNorm([1, 2] as unknown as Tensor, 1)).to.throw(TypeError, 't must be a Tensor');
    expect(() => clipByNorm(Int32Array.of(1) as unknown as Tensor, 1)).to.throw(TypeError, 'got an Int32Array');
    for (const list of [tensor([1]), new Set([tensor([1])]), 'abc', undefined]) {
      expect(() => globalNorm(list as unknown as Tensor[])).to.throw(TypeError, 'tList must be an array');
      expect(() => clipByGlobalNorm(list as unknown as Tensor[], 1)).to.throw(TypeError, 'tList must be an array');
    }
  });
});

describe('a norm that is not finite', () => {
  const bad = (): Float32Array => Float32Array.of(1, NaN, Infinity);

  it('makes zeros when asked to, in every form, and leaves finite lists alone', () => {
    const options = { nonFinite: 'zero' } as const;
    const t = tensor([
      [1, NaN],
      [3, 4],
    ]);
    expect([...clipByNorm(bad(), 1, options)]).to.deep.equal([0, 0, 0]);
    expect([...clipByAverageNorm(bad(), 1, options)]).to.deep.equal([0, 0, 0]);
    const [[zeros, other], norm] = clipByGlobalNorm([t, Float32Array.of(5)], 1, options);
    expect([zeros.toArray(), [...other], norm]).to.deep.equal([
      [
        [0, 0],
        [0, 0],
      ],
      [0],
      NaN,
    ]);
    expect(clipByNorm(t, 5, { axes: 1, ...options }).toArray()).to.deep.equal([
      [0, 0],
      [3, 4],
    ]);
    const array = bad();
    expect(clipByGlobalNorm([array], 1, { inPlace: true, ...options })[0][0]).to.equal(array);
    expect([...array]).to.deep.equal([0, 0, 0]);
    expect([...clipByGlobalNorm([Float32Array.of(3, 4)], 10, options)[0][0]]).to.deep.equal([3, 4]);
  });

  it('throws when asked to, and changes nothing', () => {
    const options = { nonFinite: 'error', inPlace: true } as const;
    const array = bad();
    expect(() => clipByGlobalNorm([Float32Array.of(1), array], 1, options)).to.throw(Error, 'the global norm is NaN');
    expect(() => clipByNorm(array, 1, options)).to.throw(Error, 'the norm of t is NaN');
    expect(() => clipByNorm(tensor([[1], [Infinity]]), 1, { axes: 1, ...options })).to.throw(
      Error,
      'norm of t is Infinity',
    );
    expect([...array]).to.deep.equal([1, NaN, Infinity]);
    expect(() => clipByNorm(array, 1, { nonFinite: 'ignore' as 'zero' })).to.throw(
      RangeError,
      "nonFinite must be 'propagate'",
    );
  });
});

describe('clipping inside of a loss', () => {
  const values = (): Tensor => tensor(Float64Array.of(-3, 0.5, 4, -0.25, 2, 1), [2, 3]);
  const weights = tensor(Float64Array.of(1, -2, 3, 0.5, -1, 2), [2, 3]);

  for (const [name, clip] of Object.entries<(x: Tensor) => Tensor>({
    clipByValue: (x) => clipByValue(x, -1, 2.5),
    'clipByNorm that clips': (x) => clipByNorm(x, 2),
    'clipByNorm that does not': (x) => clipByNorm(x, 20),
    'clipByNorm along axes': (x) => clipByNorm(x, 3, { axes: 1 }),
    'clipByAverageNorm that clips': (x) => clipByAverageNorm(x, 0.5),
    'clipByAverageNorm that does not': (x) => clipByAverageNorm(x, 50),
    'clipByGlobalNorm that clips': (x) => {
      const [[a, b]] = clipByGlobalNorm([x, ops.square(x)], 3);
      return ops.add(a, ops.mul(b, 0.3));
    },
    'clipByGlobalNorm that does not': (x) => clipByGlobalNorm([x], 30)[0][0],
    'clipByGlobalNorm by a given norm': (x) => clipByGlobalNorm([x], 3, { useNorm: 6 })[0][0],
  })) {
    it(`${name} has the numeric gradient`, () => {
      const f = (x: Tensor): Tensor => ops.reduceSum(ops.mul(clip(x), weights));
      expectGradients(f, [values()]);
    });
  }

  const gradientOf = (data: readonly number[], f: (x: Tensor) => Tensor): number[] => {
    const x = tensor(Float64Array.from(data));
    return numbers(gradients(() => ops.reduceSum(f(x)), [x])[0] as Tensor);
  };

  it('has the gradients of TensorFlow at ties and at zero', () => {
    expect(gradientOf([1, 2, 3, 4, 5], (x) => clipByValue(x, 2, 4))).to.deep.equal([0, 1, 1, 1, 0]);
    expect(gradientOf([0, 0, 0], (x) => clipByNorm(x, 1))).to.deep.equal([1, 1, 1]);
    close(
      gradientOf([3, 4], (x) => clipByNorm(x, 5)),
      [1 - (3 * 7) / 25, 1 - (4 * 7) / 25],
    );
    close(
      gradientOf([3, 4], (x) => clipByGlobalNorm([x], 5)[0][0]),
      [1 - (3 * 7) / 25, 1 - (4 * 7) / 25],
    );
    close(
      gradientOf([0, 0], (x) => clipByGlobalNorm([x], 1)[0][0]),
      [NaN, NaN],
    );
    close(
      gradientOf([0, 0], (x) => clipByAverageNorm(x, 1)),
      [NaN, NaN],
    );
  });

  it('sends what the bounds take to the bounds', () => {
    const [t, low, high] = [tensor([1, 3, 9]), tensor(2), tensor([4, 4, 4])];
    const [dt, dLow, dHigh] = gradients(() => clipByValue(t, low, high), [t, low, high]) as Tensor[];
    expect([dt, dLow, dHigh].map((d) => d!.toArray())).to.deep.equal([[0, 1, 0], 1, [0, 0, 1]]);
  });

  it('follows variables, and refuses to work in place', () => {
    const v = variable([3, 4]);
    const optimizer = new AdamOptimizer();
    const [[gradient]] = optimizer.computeGradients(() => ops.l2Loss(clipByNorm(v, 10))) as unknown as [[Tensor]];
    expect(gradient.toArray()).to.deep.equal([3, 4]);
    for (const clip of [
      () => clipByNorm(v, 1, { inPlace: true }),
      () => clipByValue(v, 0, 1, { inPlace: true }),
      () => clipByGlobalNorm([v], 1, { inPlace: true })[0][0],
    ]) {
      expect(() => optimizer.computeGradients(() => ops.l2Loss(clip()))).to.throw(Error, 'cannot be clipped in place');
    }
    expect(v.toArray()).to.deep.equal([3, 4]);
  });
});
