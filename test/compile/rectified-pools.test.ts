import { expect } from 'chai';
import { compile, gradients, ops, runtime, tensor, type Tensor } from 'gradstep';
import { rectifiedPools } from '../../lib/compile/rectified-pools';
import { Value, type Ref, type Task } from '../../lib/compile/values';
import { binaryFunction } from '../../lib/native';
import { bytesOf, dtypes, random } from '../support/parity';

const ref = (length = 8): Ref => ({ value: new Value('float32', length, 'arena'), offset: 0 });

const task = (kind: Task['kind'], option: number, arrays: Task['arrays'], sizes: number[] = []): Task => ({
  kind,
  dtype: 'float32',
  option,
  arrays,
  writes: 1,
  sizes,
  numbers: [],
  items: [],
  terms: [],
  list: null,
});

/** The gradient of a pool, that of the relu in front of it, and what they work on. */
function pair(option = 0) {
  const [dz, dx, dy, x, y] = [ref(), ref(), ref(2), ref(), ref(2)];
  const pool = task('poolGradient', option, option === 0 ? [dx, dy, x, y] : [dx, dy, null, null]);
  const relu = task('binary', binaryFunction.reluGradient, [dz, x, dx], [8]);
  return { dz, dx, dy, x, y, pool, relu };
}

const merged = (tasks: readonly Task[], ...results: Ref[]): Task[] =>
  rectifiedPools(
    tasks.map((task, at) => ({ task, at })),
    results,
  ).map(({ task }) => task);

describe('the gradient of a relu in front of a pool', () => {
  it('is part of the pool of the largest', () => {
    const { dz, dy, x, y, pool, relu } = pair();
    expect(merged([pool, relu], dz)).to.deep.equal([{ ...pool, option: 2, arrays: [dz, dy, x, y] }]);
  });

  it('stays where something else reads what the pool passes on', () => {
    const { dz, dx, pool, relu } = pair();
    const reader = task('unary', 0, [ref(), dx], [8]);
    expect(merged([pool, relu, reader], dz)).to.deep.equal([pool, relu, reader]);
    expect(merged([pool, reader, relu], dz)).to.deep.equal([pool, reader, relu]);
    expect(merged([pool, relu], dz, dx)).to.deep.equal([pool, relu]);
  });

  it('stays where it is of something else, or of a part', () => {
    const { dz, dx, x, pool, relu } = pair();
    const other = { ...relu, arrays: [dz, ref(), dx] };
    expect(merged([pool, other], dz)).to.deep.equal([pool, other]);
    const part = { ...relu, arrays: [dz, x, { ...dx, offset: 16 }] };
    expect(merged([pool, part], dz)).to.deep.equal([pool, part]);
    const fewer = { ...relu, sizes: [4] };
    expect(merged([pool, fewer], dz)).to.deep.equal([pool, fewer]);
  });

  it('stays behind a pool of means', () => {
    const { dz, pool, relu } = pair(1);
    expect(merged([pool, relu], dz)).to.deep.equal([pool, relu]);
  });

  const pools: Record<string, (y: Tensor) => Tensor> = {
    'side by side': (y) => ops.maxPool(y, 2),
    'over each other': (y) => ops.maxPool(y, 3, { strides: 1, padding: 'SAME' }),
    'with a rest between them': (y) => ops.maxPool(y, 2, { strides: 3 }),
    'and used once more': (y) => ops.add(ops.maxPool(y, 2), ops.avgPool(y, 2)),
  };
  const [size, shape] = [1824, [2, 6, 8, 19]];

  for (const [name, pool] of Object.entries(pools)) {
    it(`has the bytes of the eager one, of whatever values: windows ${name}`, () => {
      const { isa } = runtime;
      try {
        for (const isa of runtime.availableIsas) {
          runtime.useIsa(isa);
          for (const [dtype, make] of dtypes) {
            const [x, dy] = [5, 9].map((seed) => tensor(random(make, size, seed, true), shape)) as [Tensor, Tensor];
            const gradientOf = (x: Tensor): Tensor => {
              const made = (): Tensor => {
                const y = pool(ops.relu(x));
                return ops.mul(y, ops.slice(dy, [0, 0, 0, 0], y.shape));
              };
              return gradients(made, [x])[0] as Tensor;
            };
            const run = compile(({ x }) => gradientOf(x), { inputs: { x: { shape, dtype } } });
            expect(bytesOf([run.runSync({ x }).data])).to.equal(bytesOf([gradientOf(x).data]));
          }
        }
      } finally {
        runtime.useIsa(isa);
      }
    });
  }
});
