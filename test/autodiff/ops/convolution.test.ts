import { expect } from 'chai';
import * as fc from 'fast-check';
import {
  compile,
  compileStep,
  GradientDescentOptimizer,
  gradients,
  ops,
  runtime,
  tensor,
  variable,
  type Tensor,
} from 'gradstep';
import { plainConv2d } from '../../support/convolutions';
import { denseOf, expectClose, expectFloat32, expectGradients, randomTensor } from '../../support/numeric-gradient';
import { bytesOf } from '../../support/parity';

type Options = Parameters<typeof ops.conv2d>[2];

const cases: { name: string; x: number[]; filter: number[]; options: NonNullable<Options> }[] = [
  { name: 'one pixel', x: [1, 1, 1, 1], filter: [1, 1, 1, 1], options: {} },
  { name: 'VALID', x: [2, 5, 6, 3], filter: [3, 2, 3, 4], options: {} },
  { name: 'SAME', x: [2, 5, 6, 3], filter: [3, 2, 3, 4], options: { padding: 'SAME' } },
  { name: 'SAME with strides', x: [1, 7, 8, 2], filter: [3, 3, 2, 3], options: { padding: 'SAME', strides: [2, 3] } },
  {
    name: 'SAME, stride over the filter',
    x: [1, 8, 7, 2],
    filter: [2, 1, 2, 3],
    options: { padding: 'SAME', strides: 3 },
  },
  { name: 'dilations', x: [1, 8, 9, 2], filter: [3, 2, 2, 3], options: { dilations: [2, 3] } },
  {
    name: 'SAME with dilations',
    x: [1, 8, 9, 2],
    filter: [3, 2, 2, 3],
    options: { dilations: [2, 3], padding: 'SAME' },
  },
  {
    name: 'strides and dilations',
    x: [1, 9, 9, 2],
    filter: [3, 3, 2, 2],
    options: { strides: 2, dilations: 2, padding: 'SAME' },
  },
  {
    name: 'strides of 4, dilations of 6',
    x: [1, 15, 15, 1],
    filter: [3, 3, 1, 2],
    options: { strides: 4, dilations: 6, padding: 'SAME' },
  },
  { name: 'given zeros', x: [2, 4, 3, 2], filter: [3, 3, 2, 3], options: { padding: [[2, 0], [1, 3]] } }, // prettier-ignore
  { name: 'zeros beyond the filter', x: [1, 2, 2, 1], filter: [2, 2, 1, 1], options: { padding: [[3, 4], [5, 2]] } }, // prettier-ignore
  { name: 'groups', x: [2, 4, 5, 6], filter: [3, 3, 2, 9], options: { groups: 3, padding: 'SAME' } },
  { name: 'a group for each channel', x: [1, 5, 5, 4], filter: [2, 2, 1, 8], options: { groups: 4, strides: 2 } },
  { name: 'single pixels', x: [2, 3, 4, 5], filter: [1, 1, 5, 7], options: {} },
  { name: 'single pixels in groups', x: [2, 3, 4, 4], filter: [1, 1, 2, 6], options: { groups: 2 } },
  {
    name: 'single pixels with strides',
    x: [2, 5, 6, 3],
    filter: [1, 1, 3, 2],
    options: { strides: 2, padding: 'SAME' },
  },
  { name: 'no images', x: [0, 4, 4, 2], filter: [3, 3, 2, 2], options: { padding: 'SAME' } },
  { name: 'no rows', x: [2, 0, 4, 2], filter: [3, 3, 2, 2], options: { padding: 'SAME' } },
  { name: 'no channels', x: [2, 4, 4, 0], filter: [3, 3, 0, 2], options: { padding: 'SAME' } },
  { name: 'no outputs', x: [2, 4, 4, 2], filter: [3, 3, 2, 0], options: { padding: 'SAME' } },
  { name: 'no position', x: [2, 2, 4, 2], filter: [3, 3, 2, 2], options: {} },
  { name: 'a filter of the size of the image', x: [2, 4, 4, 2], filter: [4, 4, 2, 3], options: {} },
];

describe('conv2d', () => {
  for (const { name, x, filter, options } of cases) {
    it(`is what its definition says: ${name}`, () => {
      const [images, factors] = [randomTensor(x), randomTensor(filter, { seed: 2 })];
      const expected = plainConv2d(images, factors, options);
      const y = ops.conv2d(images, factors, options);
      expect(y.shape).to.deep.equal(expected.shape);
      expectClose(y.data, expected.data, 1e-13);
    });

    it(`has the gradients that differences show: ${name}`, () => {
      expectGradients((a, b) => ops.conv2d(a, b, options), [randomTensor(x), randomTensor(filter, { seed: 2 })]);
    });
  }

  const dim = fc.integer({ min: 0, max: 9 });
  const pair = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 }));
  const zeros = fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 }));
  const padding = fc.oneof(fc.constantFrom('SAME' as const, 'VALID' as const), fc.tuple(zeros, zeros));
  const descriptions = fc.record({
    images: fc.integer({ min: 1, max: 2 }),
    size: fc.tuple(dim, dim),
    window: pair,
    channels: fc.constantFrom(1, 2, 3, 16, 17),
    outputs: fc.constantFrom(1, 2, 5, 16, 33),
    groups: fc.constantFrom(1, 1, 2),
    strides: pair,
    dilations: pair,
    padding,
    seed: fc.nat(1000),
  });

  it('agrees with the definition for any sizes', () => {
    fc.assert(
      fc.property(descriptions, ({ images, size, window, channels, outputs, groups, seed, ...options }) => {
        const x = randomTensor([images, ...size, channels * groups], { seed });
        const filter = randomTensor([...window, channels, outputs * groups], { seed: seed + 1 });
        const isTooSmall = [0, 1].some((d) => {
          const zeros = typeof options.padding === 'string' ? 0 : options.padding[d]![0] + options.padding[d]![1];
          const outputs =
            (size[d]! + zeros - (window[d]! - 1) * options.dilations[d]! - 1 + options.strides[d]!) /
            options.strides[d]!;
          return options.padding !== 'SAME' && Math.trunc(outputs) < 0;
        });
        fc.pre(!isTooSmall);
        const expected = plainConv2d(x, filter, { ...options, groups });
        const y = ops.conv2d(x, filter, { ...options, groups });
        expect(y.shape).to.deep.equal(expected.shape);
        expectClose(y.data, expected.data, 1e-12);
      }),
      { numRuns: 100 },
    );
  });

  it('leaves the same bytes on every instruction set and with 1, 2 and 3 threads', () => {
    const { isa, threads } = runtime;
    const x = randomTensor([4, 33, 35, 17], { dtype: 'float32' });
    const filter = randomTensor([3, 3, 17, 40], { seed: 2, dtype: 'float32' });
    const found = new Set<string>();
    try {
      for (const name of runtime.availableIsas) {
        for (const count of [1, 2, 3]) {
          runtime.useIsa(name);
          runtime.threads = count;
          const f = (): Tensor => ops.conv2d(x, filter, { padding: 'SAME', strides: [1, 2] });
          found.add(bytesOf([f().data, ...gradients(f, [x, filter]).map((g) => denseOf(g))]));
        }
      }
    } finally {
      runtime.useIsa(isa);
      runtime.threads = threads;
    }
    expect(found.size).to.equal(1);
  });

  it('does the same in float32, to its precision', () => {
    const xs = [randomTensor([2, 9, 9, 20]), randomTensor([3, 3, 20, 33], { seed: 2 })];
    expectFloat32((x, filter) => ops.conv2d(x, filter, { padding: 'SAME', strides: 2 }), xs, 2e-5);
  });

  it('adds a bias and rectifies byte for byte as ops of their own do', () => {
    for (const dtype of ['float32', 'float64'] as const) {
      const inputs = [[2, 5, 6, 3], [3, 3, 3, 20], [20]].map((shape, i) => randomTensor(shape, { seed: i, dtype })) as [Tensor, Tensor, Tensor]; // prettier-ignore
      const plain = (x: Tensor, filter: Tensor): Tensor => ops.conv2d(x, filter, { padding: 'SAME' });
      const pairs: [() => Tensor, () => Tensor][] = [
        [
          () => ops.conv2d(inputs[0], inputs[1], { padding: 'SAME', bias: inputs[2] }),
          () => ops.biasAdd(plain(inputs[0], inputs[1]), inputs[2]),
        ],
        [
          () => ops.conv2d(inputs[0], inputs[1], { padding: 'SAME', relu: true }),
          () => ops.relu(plain(inputs[0], inputs[1])),
        ],
        [
          () => ops.conv2d(inputs[0], inputs[1], { padding: 'SAME', bias: inputs[2], relu: true }),
          () => ops.relu(ops.biasAdd(plain(inputs[0], inputs[1]), inputs[2])),
        ],
      ];
      for (const [one, other] of pairs) {
        const bytes = [one, other].map((f) => {
          const found = gradients(f, inputs);
          return bytesOf([f().data, ...found.flatMap((g) => (g === null ? [] : [denseOf(g)]))]);
        });
        expect(bytes[0]).to.equal(bytes[1]);
      }
    }
  });

  it('lets NaN and infinities through, and multiplies the zeros around images', () => {
    const x = tensor([1, NaN, Infinity, 2], [1, 1, 4, 1]);
    const filter = tensor([1, 0], [1, 2, 1, 1]);
    expect([...ops.conv2d(x, filter).data]).to.deep.equal([NaN, NaN, Infinity]);
    expect([
      ...ops.conv2d(tensor([1, 2], [1, 1, 2, 1]), tensor([1, Infinity], [1, 2, 1, 1]), { padding: 'SAME' }).data,
    ]).to.deep.equal([Infinity, NaN]);
  });

  it('is the same compiled, value and step', () => {
    const x = randomTensor([2, 9, 8, 3], { dtype: 'float32' });
    const model = () => {
      const filter = variable(randomTensor([3, 3, 3, 6], { dtype: 'float32' }).data, { shape: [3, 3, 3, 6] });
      const bias = variable(new Float32Array([1, -1, 0.5, 0, 2, -2]));
      const deep = variable(randomTensor([3, 3, 6, 2], { dtype: 'float32' }).data, { shape: [3, 3, 6, 2] });
      const up = variable(randomTensor([2, 2, 4, 12], { dtype: 'float32' }).data, { shape: [2, 2, 4, 12] });
      const run = (x: Tensor): Tensor => {
        const h = ops.conv2d(x, filter, { padding: 'SAME', strides: 2, bias, relu: true });
        const pooled = ops.avgPool(ops.maxPool(h, 2, { strides: 1, padding: 'SAME' }), [2, 1]);
        return ops.conv2dTranspose(ops.depthwiseConv2d(pooled, deep, { padding: 'SAME' }), up, { strides: 2 });
      };
      return { variables: [filter, bias, deep, up], run };
    };
    const [eager, other] = [model(), model()];
    const compiled = compile(({ x }) => other.run(x), { inputs: { x: { shape: [2, 9, 8, 3] } } });
    expect(bytesOf([compiled.runSync({ x }).data])).to.equal(bytesOf([eager.run(x).data]));
    const optimizers = [eager, other].map(() => new GradientDescentOptimizer({ learningRate: 0.01 }));
    const step = compileStep({
      inputs: { x: { shape: [2, 9, 8, 3] } },
      loss: ({ x }) => ops.l2Loss(other.run(x)),
      optimizer: optimizers[0]!,
    });
    for (let i = 0; i < 2; i++) {
      optimizers[1]!.minimize(() => ops.l2Loss(eager.run(x)));
      step.runSync({ x });
      const [a, b] = [eager, other].map(({ variables }) => bytesOf(variables.map(({ value }) => value.data)));
      expect(a).to.equal(b);
    }
  });

  it('has gradients of gradients', () => {
    const options = { padding: 'SAME', strides: 2 } as const;
    const inputs = [randomTensor([1, 5, 4, 2]), randomTensor([3, 3, 2, 3], { seed: 2 })];
    for (const of of [0, 1] as const) {
      const first = (x: Tensor, filter: Tensor): Tensor =>
        gradients(() => ops.square(ops.conv2d(x, filter, options)), [[x, filter][of]!])[0] as Tensor;
      expectGradients(first, inputs, 1e-5);
    }
    const pooled = (x: Tensor, filter: Tensor): Tensor =>
      gradients(() => ops.maxPool(ops.conv2d(x, filter, options), 2), [x])[0] as Tensor;
    expect(() => gradients(() => pooled(inputs[0]!, inputs[1]!), inputs)).to.throw(Error, 'gradients of gradients');
  });

  it('refuses what does not fit', () => {
    const [x, filter] = [randomTensor([1, 4, 4, 2]), randomTensor([3, 3, 2, 4])];
    const refused = (options: object, kind: ErrorConstructor, message: string): void => {
      expect(() => ops.conv2d(x, filter, options)).to.throw(kind, message);
    };
    expect(() => ops.conv2d(randomTensor([4, 4, 2]), filter)).to.throw(RangeError, 'x has shape [4, 4, 2], expected [images, height, width, channels]'); // prettier-ignore
    expect(() => ops.conv2d(x, randomTensor([3, 3, 2]))).to.throw(RangeError, 'filter has shape [3, 3, 2], expected [height, width, channels, outputs]'); // prettier-ignore
    expect(() => ops.conv2d(x, randomTensor([3, 3, 1, 4]))).to.throw(RangeError, 'expected [height, width, 2, outputs] to fit x [1, 4, 4, 2]'); // prettier-ignore
    expect(() => ops.conv2d(x, randomTensor([0, 3, 2, 4]))).to.throw(RangeError, 'it must have a pixel');
    expect(() => ops.conv2d(x, randomTensor([6, 3, 2, 4]))).to.throw(RangeError, 'a filter of 6 must not be larger than the image with its padding, 4'); // prettier-ignore
    expect(() => ops.conv2d(x, randomTensor([3, 3, 2, 4], { dtype: 'float32' }))).to.throw(TypeError, 'x is float64 and filter is float32'); // prettier-ignore
    refused({ strides: 0 }, RangeError, 'strides must be a positive whole number, got 0');
    refused({ strides: '1' }, TypeError, 'strides must be a number or [down, across], got "1"');
    refused({ strides: [1, 1, 1, 1] }, RangeError, 'strides must be a number or [down, across], got an array of 4');
    refused({ dilations: 1.5 }, RangeError, 'dilations must be a positive whole number, got 1.5');
    refused({ padding: 'same' }, TypeError, "padding must be 'SAME', 'VALID' or [[above, below], [left, right]], got \"same\""); // prettier-ignore
    refused({ padding: [1, 1] }, TypeError, 'got 1 in it');
    refused({ padding: [[1, 1]] }, RangeError, 'padding must be');
    refused({ padding: [[1, 1], [1, -1]] }, RangeError, 'padding must hold whole numbers that are not negative, got -1'); // prettier-ignore
    refused({ groups: 3 }, RangeError, 'groups must divide 2 channels and 4 outputs, got 3');
    refused({ groups: 0 }, RangeError, 'groups must divide');
    refused({ groups: '2' }, TypeError, 'groups must be a number');
    refused({ groups: 2 }, RangeError, 'expected [height, width, 1, outputs] to fit x [1, 4, 4, 2] in 2 groups');
    refused({ bias: randomTensor([3]) }, RangeError, 'bias has shape [3], expected [4] to fit filter');
    refused({ relu: 1 }, TypeError, 'relu must be a boolean, got 1');
    refused({ stride: 1 }, TypeError, "did you mean 'strides'?");
  });
});

describe('what people write from memory of other libraries', () => {
  const [x, filter] = [randomTensor([1, 5, 6, 2]), randomTensor([3, 3, 2, 4], { seed: 2 })];
  const said = (f: () => unknown): string => {
    try {
      f();
    } catch (error) {
      return (error as Error).message;
    }
    return 'nothing';
  };

  it('has a number for the padding of all four sides', () => {
    const sides = [[2, 2], [2, 2]] as const; // prettier-ignore
    const [y, expected] = [ops.conv2d(x, filter, { padding: 2 }), ops.conv2d(x, filter, { padding: sides })];
    expect([y.shape, bytesOf([y.data])]).to.deep.equal([expected.shape, bytesOf([expected.data])]);
    expect(ops.maxPool(x, 3, { padding: 1 }).shape).to.deep.equal([1, 2, 2, 2]);
    expect(ops.conv1d(randomTensor([2, 9, 3]), randomTensor([3, 3, 4]), { padding: 1 }).shape).to.deep.equal([2, 9, 4]);
    expect(ops.conv2dTranspose(x, randomTensor([3, 3, 4, 2]), { padding: 1, strides: 2 }).shape).to.deep.equal([1, 9, 11, 4]); // prettier-ignore
    expect(() => ops.conv2d(x, filter, { padding: -1 })).to.throw(RangeError, 'padding must hold whole numbers');
  });

  it('has words in small letters, lists of four and pairs of numbers, of which it is said how they are written here', () => {
    const conv = (options: object): string => said(() => ops.conv2d(x, filter, options));
    expect(conv({ padding: 'valid' })).to.match(/got "valid": write 'VALID'$/);
    expect(conv({ padding: [1, 2] })).to.match(/PyTorch's \[1, 2\] is \[\[1, 1\], \[2, 2\]\]$/);
    expect(conv({ padding: [[0, 0], [1, 1], [1, 1], [0, 0]] })).to.match(/of TensorFlow's four take the two in the middle$/); // prettier-ignore
    expect(conv({ strides: [1, 2, 2, 1] })).to.match(/of TensorFlow's \[1, down, across, 1\] take the middle$/);
    const sequence = (options: object): string => said(() => ops.conv1d(randomTensor([2, 9, 3]), randomTensor([3, 3, 4]), options)); // prettier-ignore
    expect(sequence({ padding: 'same' })).to.match(/got "same": write 'SAME'$/);
    expect(sequence({ padding: [1] })).to.match(/padding must be 'SAME', 'VALID', \[before, after\] or a number, got an array of 1$/); // prettier-ignore
  });

  it("has PyTorch's order of dimensions", () => {
    const images = 'ops.transpose(x, [0, 2, 3, 1]) makes them';
    const filters = 'ops.transpose(filter, [2, 3, 1, 0]) makes them';
    const theirs = { x: ops.transpose(x, [0, 3, 1, 2]), filter: ops.transpose(filter, [3, 2, 0, 1]) };
    const both = said(() => ops.conv2d(theirs.x, theirs.filter));
    expect(both).to.include(images).and.include(filters);
    const first = said(() => ops.conv2d(theirs.x, filter));
    expect(first).to.include(images).and.not.include(filters);
    const second = said(() => ops.conv2d(x, theirs.filter));
    expect(second).to.include(filters).and.not.include(images);
    expect(said(() => ops.conv2d(x, randomTensor([3, 3, 7, 4])))).to.match(/to fit x \[1, 5, 6, 2\]$/);
    expect(said(() => ops.biasAdd(theirs.x, randomTensor([2])))).to.include(images);
  });
});

describe('conv2dTranspose', () => {
  const [seen, made] = [
    [2, 4, 5, 3],
    [3, 2, 4, 3],
  ] as const;

  it('is the gradient of conv2d by its input', () => {
    for (const options of [
      {},
      { strides: 2 },
      { padding: 'SAME' as const, strides: [2, 3] as const },
      { dilations: 2, strides: 2 },
      { padding: [[1, 1], [0, 1]] as const, strides: 3 }, // prettier-ignore
    ]) {
      const [x, filter] = [randomTensor(seen), randomTensor(made, { seed: 2 })];
      const y = ops.conv2dTranspose(x, filter, options);
      const images = randomTensor(y.shape, { seed: 3 });
      const [gradient] = gradients(() => ops.conv2d(images, filter, options), [images], { gradYs: x });
      expect(bytesOf([y.data])).to.equal(bytesOf([denseOf(gradient)]));
      expectGradients((a, b) => ops.conv2dTranspose(a, b, options), [x, filter]);
    }
  });

  it('makes images as large as asked for, by default as TensorFlow and Keras do', () => {
    const [x, filter] = [randomTensor(seen), randomTensor(made)];
    const shape = (options: Parameters<typeof ops.conv2dTranspose>[2]): readonly number[] =>
      ops.conv2dTranspose(x, filter, options).shape;
    expect(shape({ strides: 2, padding: 'SAME' })).to.deep.equal([2, 8, 10, 4]);
    expect(shape({ strides: 2 })).to.deep.equal([2, 9, 10, 4]);
    expect(shape({ strides: 2, padding: 'SAME', outputShape: [2, 7, 9, 4] })).to.deep.equal([2, 7, 9, 4]);
    expect(shape({ strides: 2, outputShape: [2, 10, 11, 4] })).to.deep.equal([2, 10, 11, 4]);
  });

  it('refuses what does not fit', () => {
    const [x, filter] = [randomTensor(seen), randomTensor(made)];
    expect(() => ops.conv2dTranspose(x, randomTensor([3, 2, 3, 4]))).to.throw(RangeError, 'filter has shape [3, 2, 3, 4], expected [height, width, outputs, 3] to fit x'); // prettier-ignore
    expect(() => ops.conv2dTranspose(x, filter, { outputShape: [2, 6, 6, 5] })).to.throw(RangeError, 'outputShape must be [images, height, width, 4], got [2, 6, 6, 5]'); // prettier-ignore
    expect(() => ops.conv2dTranspose(x, filter, { outputShape: [2, 9, 9, 4] })).to.throw(RangeError, 'outputShape must be of images that conv2d makes [2, 4, 5, 3] of, got [2, 9, 9, 4], of which it makes [2, 7, 8, 3]'); // prettier-ignore
    expect(() => ops.conv2dTranspose(x, filter, { outputShape: 6 as never })).to.throw(TypeError, 'outputShape must be an array of sizes'); // prettier-ignore
    expect(() => ops.conv2dTranspose(randomTensor([2, 3]), filter)).to.throw(
      RangeError,
      'x has shape [2, 3], expected [images',
    );
  });
});

describe('depthwiseConv2d', () => {
  it('is conv2d with a group for each channel, byte for byte', () => {
    for (const dtype of ['float32', 'float64'] as const) {
      for (const options of [
        {},
        { padding: 'SAME' as const, strides: 2 },
        { dilations: 2, strides: [1, 2] as const },
      ]) {
        const x = randomTensor([2, 7, 8, 19], { dtype });
        const filter = randomTensor([3, 2, 19, 1], { seed: 2, dtype });
        const grouped = (x: Tensor, filter: Tensor): Tensor =>
          ops.conv2d(x, ops.reshape(filter, [3, 2, 1, 19]), { ...options, groups: 19 });
        const [one, other] = [ops.depthwiseConv2d, grouped].map((f) => {
          const run = (): Tensor => (f === grouped ? grouped(x, filter) : ops.depthwiseConv2d(x, filter, options));
          return bytesOf([run().data, ...gradients(run, [x, filter]).map((g) => denseOf(g))]);
        });
        expect(one).to.equal(other);
      }
    }
  });

  it('has a multiplier', () => {
    const [x, filter] = [randomTensor([1, 5, 4, 3]), randomTensor([2, 3, 3, 2], { seed: 2 })];
    const y = ops.depthwiseConv2d(x, filter, { padding: 'SAME' });
    const expected = plainConv2d(x, { shape: [2, 3, 1, 6], data: filter.data }, { padding: 'SAME', groups: 3 });
    expect(y.shape).to.deep.equal([1, 5, 4, 6]);
    expectClose(y.data, expected.data, 1e-13);
    expectGradients((a, b) => ops.depthwiseConv2d(a, b, { padding: 'SAME', strides: 2 }), [x, filter]);
  });

  it('can be without images, pixels, channels or filters', () => {
    for (const [x, filter] of [
      [
        [0, 4, 4, 2],
        [3, 3, 2, 2],
      ],
      [
        [1, 2, 4, 2],
        [3, 3, 2, 1],
      ],
      [
        [1, 4, 4, 0],
        [3, 3, 0, 2],
      ],
      [
        [1, 4, 4, 2],
        [3, 3, 2, 0],
      ],
    ] as const)
      // prettier-ignore
      expectGradients((a, b) => ops.depthwiseConv2d(a, b), [randomTensor(x), randomTensor(filter)]);
  });

  it('refuses what does not fit', () => {
    const x = randomTensor([1, 4, 4, 2]);
    expect(() => ops.depthwiseConv2d(x, randomTensor([3, 3, 3, 1]))).to.throw(RangeError, 'filter has shape [3, 3, 3, 1], expected [height, width, 2, multiplier]'); // prettier-ignore
    expect(() => ops.depthwiseConv2d(x, randomTensor([0, 3, 2, 1]))).to.throw(RangeError, 'it must have a pixel');
    expect(() => ops.depthwiseConv2d(x, randomTensor([3, 3, 2, 1]), { groups: 2 } as never)).to.throw(TypeError, "there is no 'groups'"); // prettier-ignore
  });
});

describe('separableConv2d', () => {
  it('is its two convolutions', () => {
    const inputs = [randomTensor([2, 5, 6, 3]), randomTensor([3, 3, 3, 2], { seed: 2 }), randomTensor([1, 1, 6, 4], { seed: 3 })] as const; // prettier-ignore
    const options = { padding: 'SAME', strides: 2 } as const;
    const y = ops.separableConv2d(...inputs, options);
    const expected = ops.conv2d(ops.depthwiseConv2d(inputs[0], inputs[1], options), inputs[2]);
    expect(bytesOf([y.data])).to.equal(bytesOf([expected.data]));
    expectGradients((a, b, c) => ops.separableConv2d(a, b, c, options), inputs);
  });

  it('refuses what does not fit', () => {
    const [x, first] = [randomTensor([1, 4, 4, 2]), randomTensor([3, 3, 2, 2])];
    expect(() => ops.separableConv2d(x, first, randomTensor([1, 1, 2, 5]))).to.throw(RangeError, 'pointwiseFilter has shape [1, 1, 2, 5], expected [1, 1, 4, outputs]'); // prettier-ignore
    expect(() => ops.separableConv2d(x, first, randomTensor([3, 1, 4, 5]))).to.throw(RangeError, 'pointwiseFilter has shape'); // prettier-ignore
  });
});

describe('conv1d', () => {
  it('is conv2d of images that are one pixel high', () => {
    for (const [options, of2d] of [
      [{}, {}],
      [
        { stride: 2, padding: 'SAME' },
        { strides: [1, 2], padding: 'SAME' },
      ],
      [
        { dilation: 2, padding: [3, 1], relu: true },
        {
          dilations: [1, 2],
          padding: [
            [0, 0],
            [3, 1],
          ],
          relu: true,
        },
      ],
    ] as [object, object][]) {
      // prettier-ignore
      const [x, filter] = [randomTensor([2, 9, 3]), randomTensor([3, 3, 4], { seed: 2 })];
      const y = ops.conv1d(x, filter, options);
      const expected = ops.conv2d(ops.reshape(x, [2, 1, 9, 3]), ops.reshape(filter, [1, 3, 3, 4]), of2d);
      expect(y.shape).to.deep.equal([2, expected.shape[2], 4]);
      expect(bytesOf([y.data])).to.equal(bytesOf([expected.data]));
      expectGradients((a, b) => ops.conv1d(a, b, options), [x, filter]);
    }
  });

  it('refuses what does not fit', () => {
    const [x, filter] = [randomTensor([2, 9, 3]), randomTensor([3, 3, 4])];
    expect(() => ops.conv1d(randomTensor([9, 3]), filter)).to.throw(RangeError, 'x has shape [9, 3], expected [sequences, length, channels]'); // prettier-ignore
    expect(() => ops.conv1d(x, randomTensor([3, 3]))).to.throw(RangeError, 'filter has shape [3, 3], expected [length, channels, outputs]'); // prettier-ignore
    expect(() => ops.conv1d(x, filter, { stride: [1] as never })).to.throw(TypeError, 'stride must be a number');
    expect(() => ops.conv1d(x, filter, { dilation: '1' as never })).to.throw(TypeError, 'dilation must be a number');
    expect(() => ops.conv1d(x, filter, { strides: 1 } as never)).to.throw(TypeError, "there is no 'strides'");
  });
});
