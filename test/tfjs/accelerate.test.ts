import { expect } from 'chai';
import * as fc from 'fast-check';
import { accelerate, adam } from 'gradstep/tfjs';
import { describeOnBackends, loadTf, type Layer, type Model, type Tensor, type Tf } from './tf';

interface Config {
  readonly kernelName: string;
  readonly backendName: string;
  readonly kernelFunc: (call: object) => unknown;
}

/** What these tests use besides. */
interface More {
  getKernel(kernelName: string, backendName: string): Config | undefined;
  registerKernel(config: Config): void;
  unregisterKernel(kernelName: string, backendName: string): void;
  readonly backend_util: object;
  tensor(values: readonly number[] | Float32Array | Int32Array, shape?: number[], dtype?: string): Tensor;
  maximum(a: Tensor, b: Tensor): Tensor;
  minimum(a: Tensor, b: Tensor): Tensor;
  squaredDifference(a: Tensor, b: Tensor): Tensor;
  abs(x: Tensor): Tensor;
  exp(x: Tensor): Tensor;
  log(x: Tensor): Tensor;
  neg(x: Tensor): Tensor;
  sigmoid(x: Tensor): Tensor;
  step(x: Tensor, alpha?: number): Tensor;
  tanh(x: Tensor): Tensor;
  sum(x: Tensor, axis?: number | number[], keepDims?: boolean): Tensor;
  mean(x: Tensor, axis?: number | number[], keepDims?: boolean): Tensor;
  softmax(x: Tensor, dim?: number): Tensor;
  transpose(x: Tensor, perm?: number[]): Tensor;
  gather(x: Tensor, indices: Tensor, axis?: number): Tensor;
  conv2d(x: Tensor, filter: Tensor, strides: unknown, pad: unknown, format?: string, dilations?: unknown): Tensor;
  maxPool(x: Tensor, size: unknown, strides: unknown, pad: unknown): Tensor;
  grads(f: (...xs: Tensor[]) => Tensor): (xs: Tensor[], dy?: Tensor) => Tensor[];
  readonly fused: {
    matMul(options: object): Tensor;
    conv2d(options: object): Tensor;
  };
}
type Library = Omit<Tf, keyof More> & More;

const asLibrary = (tf: Tf): Library => tf as unknown as Library;

/** Numbers near 1, of both signs. */
const numbers = (n: number, seed = 1): Float32Array =>
  Float32Array.from({ length: n }, (_, i) => Math.sin(seed * 7.1 + 1.7 * i + 0.01 * i * i));

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

const specials = [NaN, Infinity, -Infinity, -0, 0, 1e-30, -3, 88, -110];

/** The same with some of what is not an ordinary number, wherever `at` says. */
function mixed(n: number, seed: number, at: readonly number[]): Float32Array {
  const values = numbers(n, seed);
  at.forEach((place, i) => (values[place % n] = specials[(place + i) % specials.length]!));
  return values;
}

function expectClose(actual: Float32Array, expected: Float32Array, tolerance: number): void {
  expect(actual.length).to.equal(expected.length);
  for (let i = 0; i < actual.length; i++) {
    const [a, e] = [actual[i]!, expected[i]!];
    if (a === e || (Number.isNaN(a) && Number.isNaN(e))) continue;
    if (!(Math.abs(a - e) <= tolerance * (1 + Math.abs(e)))) expect.fail(`[${i}] is ${a}, TensorFlow.js has ${e}`);
  }
}

/** Runs it without ours and with, and compares shapes, dtypes and values. */
function expectSame(tf: Library, compute: () => Tensor | Tensor[], tolerance = 1e-5): void {
  const run = (): { shape: number[]; dtype: string; values: Float32Array }[] =>
    tf.tidy(() =>
      [compute()].flat().map((tensor) => ({ shape: tensor.shape, dtype: tensor.dtype, values: tensor.dataSync() })),
    );
  accelerate.off();
  const theirs = run();
  accelerate(tf);
  const ours = run();
  accelerate.off();
  expect(ours.map(({ shape, dtype }) => [shape, dtype])).to.deep.equal(theirs.map((t) => [t.shape, t.dtype]));
  ours.forEach(({ values }, i) => expectClose(values, theirs[i]!.values, tolerance));
}

/** What TensorFlow.js's kernels are asked for by ours, with these put in their places while `work` runs. */
function askedOfTheirs(tf: Library, backend: string, work: () => void): string[] {
  const asked: string[] = [];
  accelerate(tf);
  const names = accelerate.kernels.filter(({ backendName }) => backendName === backend);
  accelerate.off();
  const theirs = names.flatMap(({ kernelName }) => tf.getKernel(kernelName, backend) ?? []);
  for (const config of theirs) {
    const { kernelName, kernelFunc } = config;
    tf.unregisterKernel(kernelName, backend);
    tf.registerKernel({ ...config, kernelFunc: (call) => (asked.push(kernelName), kernelFunc(call)) });
  }
  try {
    accelerate(tf);
    tf.tidy(() => void work());
  } finally {
    accelerate.off();
    for (const config of theirs) {
      tf.unregisterKernel(config.kernelName, backend);
      tf.registerKernel(config);
    }
  }
  return asked;
}

const places = fc.array(fc.nat(1000), { maxLength: 4 });
const dims = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 4 });
const runs = { numRuns: 60 };

describeOnBackends('accelerate', (anyTf, backend) => {
  const tf = asLibrary(anyTf);
  const isCpu = backend === 'cpu';
  const make = (shape: number[], seed = 1, at: readonly number[] = []): Tensor =>
    tf.tensor(mixed(sizeOf(shape), seed, sizeOf(shape) > 0 ? at : []), shape);
  const ints = (values: number[]): Tensor => tf.tensor(Int32Array.from(values), [values.length], 'int32');
  afterEach(() => accelerate.off());

  describe('has the results of TensorFlow.js', () => {
    // XNNPACK, behind WASM's, does not do matrices of nothing: it reads what happens to be there.
    const side = fc.oneof(fc.integer({ min: isCpu ? 0 : 1, max: 5 }), fc.integer({ min: 6, max: 40 }));
    const batches = fc.constantFrom<[number[], number[]]>(
      [[], []],
      [[3], [3]],
      [[1], [4]],
      [[4], [1]],
      [
        [2, 2],
        [2, 2],
      ],
      [[2], []],
      [[], [2, 1]],
    );

    it('for products of matrices', () => {
      const args = [side, side, side, fc.boolean(), fc.boolean(), batches, places] as const;
      fc.assert(
        fc.property(...args, (m, n, k, transposeA, transposeB, [leadA, leadB], at) => {
          const a = make([...leadA, ...(transposeA ? [k, m] : [m, k])], 1, at);
          const b = make([...leadB, ...(transposeB ? [n, k] : [k, n])], 2, at.slice(1));
          expectSame(tf, () => tf.matMul(a, b, transposeA, transposeB), 2e-5);
          tf.dispose([a, b]);
        }),
        runs,
      );
    });

    it('for products with a bias and an activation', () => {
      const activations = ['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu', 'prelu', undefined];
      const args = [side, side, side, fc.boolean(), fc.constantFrom(...activations), fc.boolean()] as const;
      fc.assert(
        fc.property(...args, (m, n, k, transposeB, activation, hasBias) => {
          if (!isCpu && transposeB && hasBias) return; // a bug of TensorFlow.js, see below
          const a = make([m, k]);
          const b = make(transposeB ? [n, k] : [k, n], 2);
          const bias = hasBias ? make([n], 3) : undefined;
          const preluActivationWeights = activation === 'prelu' ? make([n], 4) : undefined;
          const options = { a, b, transposeB, bias, activation, preluActivationWeights, leakyreluAlpha: 0.3 };
          expectSame(tf, () => tf.fused.matMul(options), 2e-5);
        }),
        runs,
      );
    });

    const sizes = fc.integer({ min: 1, max: 5 });
    const explicit = [
      [0, 0],
      [1, 2],
      [0, 1],
      [0, 0],
    ];
    // A number makes TensorFlow.js's WASM write past the results of some convolutions.
    const pad = fc.constantFrom<unknown>('same', 'valid', explicit, isCpu ? 1 : 'same');
    const images = fc.record({
      batch: fc.integer({ min: isCpu ? 0 : 1, max: 5 }), // TensorFlow.js's WASM reaches past its memory for none
      height: fc.integer({ min: 5, max: 12 }),
      width: fc.integer({ min: 5, max: 12 }),
      channels: sizes,
      filters: sizes,
      filterHeight: sizes,
      filterWidth: sizes,
      strideHeight: fc.integer({ min: 1, max: 3 }),
      strideWidth: fc.integer({ min: 1, max: 3 }),
      pad,
    });

    it('for convolutions and their gradients', () => {
      fc.assert(
        fc.property(images, (i) => {
          const x = make([i.batch, i.height, i.width, i.channels]);
          const filter = make([i.filterHeight, i.filterWidth, i.channels, i.filters], 2);
          const conv = (a: Tensor, f: Tensor): Tensor => tf.conv2d(a, f, [i.strideHeight, i.strideWidth], i.pad);
          expectSame(tf, () => conv(x, filter), 5e-5);
          const y = conv(x, filter);
          const dy = make(y.shape, 3);
          // WASM has no gradient by the filter: it is compared with the CPU's below.
          const gradients = tf.grads(isCpu ? conv : (a) => conv(a, filter));
          expectSame(tf, () => gradients(isCpu ? [x, filter] : [x], dy), 5e-5);
          tf.dispose([x, filter, y, dy]);
        }),
        runs,
      );
    });

    it('for convolutions that are too large for one block of patches', () => {
      for (const shape of [
        [3, 60, 60, 8],
        [40, 24, 24, 2],
      ]) {
        const x = make(shape);
        const filter = make([5, 5, shape[3]!, 3], 2);
        const conv = (a: Tensor, f: Tensor): Tensor => tf.conv2d(a, f, 1, 'same');
        const dy = make([...shape.slice(0, 3), 3], 3);
        expectSame(tf, () => conv(x, filter), 2e-4);
        if (isCpu) expectSame(tf, () => tf.grads(conv)([x, filter], dy), 5e-4);
      }
    });

    it('for pooling, and for its gradient those of the CPU: the one on WASM is wrong where maxima are negative', async () => {
      const property = fc.asyncProperty(images, fc.boolean(), places, async (i, hasTies, at) => {
        const shape = [i.batch, i.height, i.width, i.channels];
        const values = numbers(sizeOf(shape)).map((x) => (hasTies ? Math.round(2 * x) : x));
        if (isCpu && i.batch > 0) at.forEach((place) => (values[place % values.length] = NaN));
        const pad = typeof i.pad === 'string' ? i.pad : 'same';
        const pool = (a: Tensor): Tensor =>
          tf.maxPool(a, [i.filterHeight, i.filterWidth], [i.strideHeight, i.strideWidth], pad);
        expectSame(tf, () => pool(tf.tensor(values, shape)));
        const gradient = (): Float32Array =>
          tf.tidy(() => {
            const x = tf.tensor(values, shape);
            return tf
              .grads(pool)([x], make(pool(x).shape, 3))[0]!
              .dataSync();
          });
        await anyTf.setBackend('cpu');
        const theirs = gradient();
        await anyTf.setBackend(backend);
        accelerate(tf);
        expectClose(gradient(), theirs, 1e-5);
        accelerate.off();
      });
      await fc.assert(property, runs);
    });

    it('for gather and its gradient, UnsortedSegmentSum', () => {
      const args = [fc.array(fc.nat(6), { minLength: 1, maxLength: 30 }), fc.integer({ min: 1, max: 9 })] as const;
      fc.assert(
        fc.property(...args, fc.integer({ min: 0, max: 1 }), (indices, columns, axis) => {
          const x = make([7, columns + 6, 3]);
          const at = ints(indices);
          expectSame(tf, () => tf.gather(x, at, axis), 0);
          const dy = make(tf.gather(x, at, axis).shape, 2);
          if (isCpu) expectSame(tf, () => tf.grads((a) => tf.gather(a, at, axis))([x], dy));
        }),
        runs,
      );
    });

    if (isCpu) {
      it('for convolutions that are dilated, or have a bias and an activation', () => {
        const activations = ['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu', undefined];
        const args = [images, fc.integer({ min: 1, max: 2 }), fc.constantFrom(...activations), fc.boolean()] as const;
        fc.assert(
          fc.property(...args, (i, dilations, activation, hasBias) => {
            const x = make([i.batch, i.height + 6, i.width + 6, i.channels]);
            const filter = make([i.filterHeight, i.filterWidth, i.channels, i.filters], 2);
            const bias = hasBias ? make([i.filters], 3) : undefined;
            const pad = i.pad;
            expectSame(tf, () => tf.fused.conv2d({ x, filter, strides: 1, pad, dilations, bias, activation }), 5e-5);
          }),
          runs,
        );
      });

      const unary = ['abs', 'exp', 'log', 'neg', 'relu', 'sigmoid', 'sqrt', 'square', 'step', 'tanh'] as const;
      for (const name of unary) {
        it(`for ${name}`, () => {
          fc.assert(
            fc.property(dims, places, (shape, at) => {
              const x = make(shape, 1, at);
              expectSame(tf, () => tf[name](x), 1e-6);
            }),
            runs,
          );
        });
      }

      const binary = ['add', 'sub', 'mul', 'div', 'maximum', 'minimum', 'squaredDifference'] as const;
      for (const name of binary) {
        it(`for ${name}`, () => {
          const shapes = dims.chain((shape) => {
            // Some dimensions of size 1, some leading ones missing.
            const other = fc.tuple(fc.nat(shape.length), ...shape.map(() => fc.boolean()));
            const narrowed = other.map(([drop, ...ones]) => shape.map((n, d) => (ones[d] ? 1 : n)).slice(drop));
            return fc.tuple(narrowed, fc.constant(shape), fc.boolean());
          });
          fc.assert(
            fc.property(shapes, places, ([narrow, shape, isSwapped], at) => {
              const a = make(narrow, 1, at);
              const b = make(shape, 2, at.slice(1));
              expectSame(tf, () => (isSwapped ? tf[name](b, a) : tf[name](a, b)), 1e-6);
            }),
            { numRuns: 100 },
          );
        });
      }

      for (const name of ['sum', 'mean'] as const) {
        it(`for ${name} over any axes`, () => {
          const args = dims.chain((shape) =>
            fc.tuple(fc.constant(shape), fc.subarray(shape.map((_, d) => d)), fc.boolean(), fc.boolean()),
          );
          fc.assert(
            fc.property(args, places, ([shape, axes, isFromEnd, keepDims], at) => {
              const x = make(shape, 1, at);
              const axis = axes.map((d) => (isFromEnd ? d - shape.length : d));
              expectSame(tf, () => tf[name](x, axis, keepDims));
              expectSame(tf, () => tf[name](x, undefined, keepDims));
            }),
            { numRuns: 100 },
          );
        });
      }

      it('for softmax', () => {
        fc.assert(
          fc.property(dims, places, (shape, at) => {
            if (shape.includes(0)) return; // TensorFlow.js has an error for some of these
            const x = make(shape, 1, at);
            expectSame(tf, () => tf.softmax(x), 1e-6);
          }),
          runs,
        );
      });

      it('for transposition', () => {
        const args = dims.chain((shape) =>
          fc.tuple(
            fc.constant(shape),
            fc.shuffledSubarray(
              shape.map((_, d) => d),
              { minLength: shape.length },
            ),
          ),
        );
        fc.assert(
          fc.property(args, ([shape, perm]) => {
            const x = make(shape);
            expectSame(tf, () => tf.transpose(x, perm), 0);
          }),
          runs,
        );
      });

      it('for ids that name no segment: what they have is left out', () => {
        const ids = ints([0, -1, 3, 2, 7, 2]);
        const x = make([6, 5]);
        expectSame(tf, () => tf.unsortedSegmentSum(x, ids, 3));
      });
    }

    it('for segments, but that a NaN is in its own alone', () => {
      accelerate(tf);
      const x = tf.tensor(Float32Array.of(1, NaN, 3, 4), [4]);
      expect([...tf.unsortedSegmentSum(x, ints([2, 1, 0, 2]), 4).dataSync()]).to.deep.equal([3, NaN, 5, 0]);
    });

    it('for dtypes and ranks that it does not do itself', () => {
      if (!isCpu) return;
      const a = tf.tensor(
        Int32Array.from({ length: 256 }, (_, i) => i % 7),
        [16, 16],
        'int32',
      );
      expectSame(tf, () => tf.matMul(a, a));
      expectSame(tf, () => tf.add(a, a));
      expectSame(tf, () => tf.sum(a, 0));
      expectSame(tf, () => tf.transpose(a));
    });
  });

  it('throws what TensorFlow.js throws', () => {
    const wrong: (() => Tensor)[] = [
      () => tf.matMul(make([20, 30]), make([20, 30])),
      () => tf.matMul(make([3, 20, 30]), make([2, 30, 20])),
      () => tf.add(make([20, 30]), make([20, 31])),
      () => tf.conv2d(make([2, 8, 8, 3]), make([3, 3, 4, 2]), 1, 'same'),
      () => tf.sum(make([20, 30]), 5),
      () => tf.gather(make([20, 30]), ints([3, 20])),
      () => tf.softmax(make([20, 30]), 0),
    ];
    const messages = (): string[] =>
      wrong.map((compute) => {
        try {
          tf.tidy(() => compute());
          return 'nothing';
        } catch (error) {
          return (error as Error).message;
        }
      });
    const before = messages();
    accelerate(tf);
    expect(messages()).to.deep.equal(before);
  });

  it('asks TensorFlow.js for nothing that it does itself', () => {
    const big = make([40, 50]);
    const row = make([50]);
    const x = make([4, 12, 12, 3]);
    const filter = make([3, 3, 3, 4], 2);
    const work = (): void => {
      tf.matMul(big, big, true);
      tf.fused.matMul({ a: big, b: big, transposeB: true, bias: make([40]), activation: 'relu' });
      tf.grads((a) => tf.gather(a, ints([1, 5, 1])))([big]);
      if (!isCpu) return;
      tf.grads((a, f) => tf.conv2d(a, f, [2, 1], 'same'))([x, filter]);
      tf.fused.conv2d({ x, filter, strides: 1, pad: 'valid', bias: make([4]), activation: 'relu' });
      tf.grads((a) => tf.maxPool(a, 2, 2, 'same'))([x]);
      for (const name of ['abs', 'exp', 'log', 'neg', 'relu', 'sigmoid', 'sqrt', 'square', 'step', 'tanh'] as const)
        tf[name](big);
      for (const name of ['add', 'sub', 'mul', 'div', 'maximum', 'minimum', 'squaredDifference'] as const) {
        (tf as unknown as Record<string, (a: Tensor, b: Tensor) => Tensor>)[name]!(big, row);
      }
      for (const axis of [0, 1, [0, 1]]) [tf.sum(big, axis), tf.mean(big, axis)];
      tf.softmax(big);
      tf.transpose(big);
    };
    expect(askedOfTheirs(tf, backend, work)).to.deep.equal([]);
  });

  it('leaves what is small to TensorFlow.js', () => {
    const x = make([2, 2]);
    const work = (): void => void [tf.matMul(x, x), tf.add(x, x), tf.relu(x), tf.sum(x)];
    expect(askedOfTheirs(tf, backend, work)).to.include.members(
      isCpu ? ['BatchMatMul', 'Add', 'Relu', 'Sum'] : ['BatchMatMul'],
    );
  });

  it('keeps no tensors but results', () => {
    accelerate(tf);
    const model = (): void => {
      const [x, filter, w] = [make([3, 12, 12, 2]), make([3, 3, 2, 4], 2), make([144, 10], 3)];
      const loss = (f: Tensor, v: Tensor): Tensor => {
        const hidden = tf.maxPool(tf.relu(tf.conv2d(x, f, 1, 'same')), 2, 2, 'same');
        const logits = tf.fused.matMul({ a: hidden.reshape([3, 144]), b: v, activation: 'sigmoid' });
        return tf.sum(tf.softmax(tf.transpose(logits)));
      };
      tf.grads(loss)([filter, w]);
    };
    tf.tidy(() => void model());
    const before = tf.memory();
    for (let i = 0; i < 5; i++) tf.tidy(() => void model());
    expect(tf.memory().numTensors).to.equal(before.numTensors);
    expect(tf.memory().numDataBuffers).to.equal(before.numDataBuffers);
  });

  it('returns no memory of an input: what a step of ours changes afterwards stays as it was', () => {
    accelerate(tf);
    const v = tf.variable(make([20, 30]));
    const optimizer = adam({ learningRate: 0.1 });
    const step = (): void => void optimizer.minimize(() => tf.sum(tf.square(v)), false, [v]);
    step(); // the memory is ours now
    const eye = tf.tensor(
      Float32Array.from({ length: 900 }, (_, i) => (i % 31 === 0 ? 1 : 0)),
      [30, 30],
    );
    const zero = tf.scalar(0);
    const all = ints(Array.from({ length: 20 }, (_, i) => i));
    const kept = [tf.matMul(v, eye), tf.add(v, zero), tf.gather(v, all), tf.transpose(v, [0, 1]), tf.sum(v, [])];
    const pooled = tf.maxPool(v.reshape([1, 20, 30, 1]), 1, 1, 'same');
    const before = v.dataSync().slice();
    for (let i = 0; i < 3; i++) step();
    expect(v.dataSync()).not.to.deep.equal(before);
    for (const tensor of [...kept, pooled]) expect(tensor.dataSync()).to.deep.equal(before);
    // ... and products are of what the variable has now
    expectClose(tf.matMul(v, eye).dataSync(), v.dataSync(), 0);
    v.dispose();
  });

  it('trains an embedding', async () => {
    accelerate(tf);
    const { layers } = tf as unknown as Tf;
    const model = (tf as unknown as Tf).sequential({
      layers: [
        layers['embedding']!({ inputDim: 20, outputDim: 8, inputLength: 4 }),
        layers['flatten']!({}),
        layers['dense']!({ units: 2, activation: 'softmax' }),
      ] as Layer[],
    });
    model.compile({ optimizer: adam({ learningRate: 0.05 }), loss: 'categoricalCrossentropy' });
    const tokens = Float32Array.from({ length: 256 }, (_, i) => (i * i + 3 * i) % 20);
    const isSmall = (row: number): boolean => tokens[4 * row]! < 10;
    const x = tf.tensor(tokens, [64, 4]);
    const y = tf.tensor(
      Float32Array.from({ length: 128 }, (_, i) => Number(isSmall(i >> 1) === (i % 2 === 0))),
      [64, 2],
    );
    const { history } = await model.fit(x, y, { epochs: 30, batchSize: 16, verbose: 0 });
    expect(history.loss.at(-1)).to.be.below(history.loss[0]! / 2);
    model.dispose();
    x.dispose();
    y.dispose();
  });

  it('trains a convolutional model to the same losses as TensorFlow.js on the CPU', async () => {
    const train = async (): Promise<number[]> => {
      const { layers } = tf as unknown as Tf;
      const { initializers } = tf as unknown as { initializers: { glorotUniform(options: object): unknown } };
      const init = (seed: number): object => ({ kernelInitializer: initializers.glorotUniform({ seed }) });
      const model: Model = (tf as unknown as Tf).sequential({
        layers: [
          layers['conv2d']!({ filters: 4, kernelSize: 3, activation: 'relu', inputShape: [10, 10, 1], ...init(1) }),
          layers['maxPooling2d']!({ poolSize: 2 }),
          layers['flatten']!({}),
          layers['dense']!({ units: 3, activation: 'softmax', ...init(2) }),
        ] as Layer[],
      });
      model.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy' });
      const x = make([32, 10, 10, 1]);
      const y = tf.tensor(
        Float32Array.from({ length: 96 }, (_, i) => (i % 3 === ((i / 3) | 0) % 3 ? 1 : 0)),
        [32, 3],
      );
      const { history } = await model.fit(x, y, { epochs: 4, batchSize: 8, shuffle: false, verbose: 0 });
      model.dispose();
      return history.loss;
    };
    const other = tf as unknown as Tf;
    await other.setBackend('cpu');
    const theirs = await train();
    await other.setBackend(backend);
    accelerate(tf);
    const ours = await train();
    expectClose(Float32Array.from(ours), Float32Array.from(theirs), 1e-4);
  });

  if (!isCpu) {
    it('adds a bias to transposed products as the CPU does, where TensorFlow.js adds the last element to most', () => {
      const a = make([20, 30]);
      const b = make([10, 30], 2);
      const bias = make([10], 3);
      accelerate(tf);
      const fused = tf.fused.matMul({ a, b, transposeB: true, bias });
      expectClose(fused.dataSync(), tf.add(tf.matMul(a, b, false, true), bias).dataSync(), 1e-5);
    });

    it('says what it takes where TensorFlow.js has nothing to fall back on', () => {
      accelerate(tf);
      const x = tf.tensor(Int32Array.from({ length: 4 }), [4], 'int32');
      expect(() => tf.unsortedSegmentSum(x, ints([0, 1, 0, 1]), 2)).to.throw(Error, 'takes float32');
    });
  }
});

describe('accelerate', () => {
  const loaded = loadTf();
  if (loaded === null) return void it('needs TensorFlow.js, which is not installed');
  const tf = asLibrary(loaded);
  const named = (): string[] => accelerate.kernels.map(({ kernelName, backendName }) => `${backendName} ${kernelName}`);
  afterEach(() => accelerate.off());

  it('lists what is registered, and off() leaves the registry as it was', () => {
    accelerate(tf);
    const names = accelerate.kernels;
    expect(named()).to.include.members(['cpu BatchMatMul', 'wasm _FusedMatMul', 'wasm UnsortedSegmentSum']);
    const ours = names.map(({ kernelName, backendName }) => tf.getKernel(kernelName, backendName));
    accelerate.off();
    expect(named()).to.deep.equal([]);
    const before = names.map(({ kernelName, backendName }) => tf.getKernel(kernelName, backendName));
    expect(tf.getKernel('UnsortedSegmentSum', 'wasm')).to.equal(undefined);
    expect(tf.getKernel('Conv2DBackpropFilter', 'wasm')).to.equal(undefined);
    accelerate(tf);
    accelerate.off();
    names.forEach(({ kernelName, backendName }, i) => {
      expect(tf.getKernel(kernelName, backendName)).to.equal(before[i]);
      expect(ours[i]).not.to.equal(before[i]);
    });
  });

  it('twice is once', () => {
    accelerate(tf);
    const names = named();
    const first = tf.getKernel('BatchMatMul', 'cpu');
    accelerate(tf);
    expect(named()).to.deep.equal(names);
    expect(tf.getKernel('BatchMatMul', 'cpu')).to.equal(first);
  });

  it('keeps what TensorFlow.js does when a backend starts', () => {
    const { setupFunc } = tf.getKernel('BatchMatMul', 'wasm') as Config & { setupFunc?: unknown };
    accelerate(tf);
    expect(setupFunc).to.be.a('function');
    expect(tf.getKernel('BatchMatMul', 'wasm')).to.include({ setupFunc });
  });

  it('adds a backend that is loaded later when it is called again', () => {
    const theirs = tf.getKernel('BatchMatMul', 'wasm')!;
    tf.unregisterKernel('BatchMatMul', 'wasm'); // as if it were not there yet
    accelerate(tf);
    expect(named()).not.to.include('wasm BatchMatMul');
    tf.registerKernel(theirs);
    accelerate(tf);
    expect(named()).to.include('wasm BatchMatMul');
    accelerate.off();
    expect(tf.getKernel('BatchMatMul', 'wasm')).to.equal(theirs);
  });

  it('off() leaves alone what somebody else has registered since', () => {
    accelerate(tf);
    const theirs = tf.getKernel('Exp', 'cpu')!;
    const another = { ...theirs };
    tf.unregisterKernel('Exp', 'cpu');
    tf.registerKernel(another);
    accelerate.off();
    expect(tf.getKernel('Exp', 'cpu')).to.equal(another);
  });

  it('refuses what is not TensorFlow.js', () => {
    for (const wrong of [undefined, null, {}, 'tf', { getKernel: () => undefined }]) {
      expect(() => accelerate(wrong as never)).to.throw(TypeError, 'namespace of TensorFlow.js');
    }
  });
});
