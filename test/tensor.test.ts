import { expect } from 'chai';
import fc from 'fast-check';
import {
  createGlobalStep,
  IndexedSlices,
  tensor,
  unzip,
  variable,
  Variable,
  zip,
  type Nested,
  type Tensor,
} from 'gradstep';

describe('tensor', () => {
  it('takes shape and numbers from nested arrays, and gives them back', () => {
    const nested = [
      [
        [1, 2],
        [3, 4],
      ],
      [
        [5, 6],
        [7, 8],
      ],
    ];
    const t = tensor(nested);
    expect([t.dtype, t.shape, t.size]).to.deep.equal(['float32', [2, 2, 2], 8]);
    expect(t.toArray()).to.deep.equal(nested);
    expect(tensor(5).toArray()).to.equal(5);
    expect(tensor([]).shape).to.deep.equal([0]);
    expect(tensor([[], []]).toArray()).to.deep.equal([[], []]);
  });

  it('copies what it is given', () => {
    const array = Float64Array.of(1, 2);
    const t = tensor(array, [2, 1]);
    array[0] = 9;
    expect([t.dtype, t.toArray()]).to.deep.equal(['float64', [[1], [2]]]);
    expect(tensor([0.1], [1], 'float64').item()).to.equal(0.1);
    expect(tensor([0.1]).item()).to.equal(Math.fround(0.1));
  });

  it('refuses ragged rows, other kinds and shapes of another size', () => {
    expect(() => tensor([[1, 2], [3]])).to.throw(RangeError, 'values must have rows of one length');
    expect(() => tensor([1, [2]])).to.throw(RangeError, 'values must be nested to one depth');
    let rows: Nested = [1];
    for (let level = 0; level < 31; level++) rows = [rows, rows]; // two in memory, 2³¹ to copy
    expect(() => tensor(rows)).to.throw(RangeError, 'values has 2147483648 numbers, in nested arrays at most');
    expect(() => tensor(['1'] as unknown as Nested)).to.throw(TypeError, 'values must hold numbers, got "1"');
    expect(() => tensor(null as unknown as Nested)).to.throw(TypeError, 'values must be numbers or a Float32Array');
    expect(() => tensor([1, 2], [3])).to.throw(RangeError, 'values has 2 elements, shape [3] needs 3');
    expect(() => tensor([1], [-1])).to.throw(RangeError, 'shape must hold whole numbers that are not negative, got -1');
    expect(() => tensor([1], 1 as unknown as number[])).to.throw(TypeError, 'shape must be an array of sizes, got 1');
    expect(() => tensor([1], [1], 'int64' as 'float32')).to.throw(
      TypeError,
      "dtype must be 'float32', 'float64', 'int32' or 'bool', got \"int64\"",
    );
    expect(() => tensor([1, 2]).item()).to.throw(RangeError, 'item() needs exactly one element, this tensor has 2');
  });

  it('cannot be read once disposed of, and disposing of it twice is no error', () => {
    const t = tensor([1]);
    t.dispose();
    t[Symbol.dispose]();
    expect(() => t.data).to.throw(Error, 'this tensor has been disposed of');
    expect(() => t.item()).to.throw(Error, 'this tensor has been disposed of');
  });

  it('round-trips any shape', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(4), { maxLength: 4 }), (shape) => {
        const size = shape.reduce((a, b) => a * b, 1);
        const t: Tensor = tensor(
          Float64Array.from({ length: size }, (_, i) => i),
          shape,
        );
        if (size > 0) expect(tensor(t.toArray(), undefined, 'float64').shape).to.deep.equal(shape);
        expect((shape.length === 0 ? [t.toArray()] : (t.toArray() as number[])).flat(10)).to.deep.equal([...t.data]);
      }),
    );
  });
});

describe('variable', () => {
  it('starts at a copy in shared memory', () => {
    const initial = Float32Array.of(1, 2);
    const v = variable(initial, { name: 'v' });
    initial[0] = 9;
    expect(v.data.buffer).to.be.instanceOf(SharedArrayBuffer);
    expect([v.name, v.trainable, v.dtype, v.shape, v.toArray()]).to.deep.equal(['v', true, 'float32', [2], [1, 2]]);
    expect(variable(tensor([[1, 2]])).shape).to.deep.equal([1, 2]);
    expect(variable([1], { dtype: 'float64' }).dtype).to.equal('float64');
  });

  it('has a name of its own when given none', () => {
    const names = [variable(1), variable(2), Variable.over(new Float32Array(1))].map(({ name }) => name);
    expect(new Set(names).size).to.equal(3);
    for (const name of names) expect(name).to.match(/^Variable(_\d+)?$/);
  });

  it('is assigned values of its shape', () => {
    const v = variable(
      [
        [1, 2],
        [3, 4],
      ],
      { name: 'v' },
    );
    expect(
      v.assign([
        [5, 6],
        [7, 8],
      ]),
    ).to.equal(v);
    v.assign(Float64Array.of(1, 2, 3, 4)).assign(
      tensor([
        [9, 8],
        [7, 6],
      ]),
    );
    expect(v.toArray()).to.deep.equal([
      [9, 8],
      [7, 6],
    ]);
    expect(() => v.assign([1, 2, 3, 4])).to.throw(RangeError, "value for 'v' has shape [4], expected [2, 2]");
    expect(() => v.assign(new Float32Array(3))).to.throw(RangeError, "value for 'v' has shape [3], expected [2, 2]");
    expect(() => v.assign(tensor([1, 2, 3, 4]))).to.throw(RangeError);
    expect(() => v.assign('x' as unknown as Nested)).to.throw(TypeError);
    expect(v.toArray()).to.deep.equal([
      [9, 8],
      [7, 6],
    ]);
  });

  it('over an array is that array', () => {
    for (const buffer of [new ArrayBuffer(16), new SharedArrayBuffer(16)]) {
      const array = new Float32Array(buffer, 4, 2);
      const v = Variable.over(array, { shape: [2, 1], name: 'mine', trainable: false });
      v.assign([[1], [2]]);
      expect([...new Float32Array(buffer)]).to.deep.equal([0, 1, 2, 0]);
      array[0] = 7;
      expect(v.toArray()).to.deep.equal([[7], [2]]);
    }
    expect(() => Variable.over(new Float32Array(3), { shape: [2] })).to.throw(
      RangeError,
      'array has 3 elements, shape [2] needs 2',
    );
    expect(() => Variable.over([1] as unknown as Float32Array)).to.throw(TypeError, 'array must be a Float32Array');
  });

  it('refuses options of a wrong kind', () => {
    expect(() => variable(1, { name: '' })).to.throw(TypeError, 'name must be a string that is not empty');
    expect(() => variable(1, { trainable: 1 as unknown as boolean })).to.throw(
      TypeError,
      'trainable must be a boolean, got 1',
    );
    expect(() => variable(1, { constraint: 5 as never })).to.throw(TypeError, 'constraint must be a function, got 5');
    expect(() => variable(1, 5 as never)).to.throw(TypeError, 'options must be an object, got 5');
  });
});

describe('IndexedSlices', () => {
  it('sums repeated rows when made dense, in any order of indices', () => {
    const slices = new IndexedSlices(
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      [2, 0, 2],
      [4, 2],
    );
    expect(slices.toDense().toArray()).to.deep.equal([
      [3, 4],
      [0, 0],
      [6, 8],
      [0, 0],
    ]);
    expect(new IndexedSlices(Float32Array.of(1, 2), [0, 0], [1]).toDense().toArray()).to.deep.equal([3]);
    expect(new IndexedSlices([], [], [3, 2]).toDense().toArray()).to.deep.equal([
      [0, 0],
      [0, 0],
      [0, 0],
    ]);
  });

  it('refuses sizes that do not fit and indices that are none', () => {
    expect(() => new IndexedSlices([[1], [2]], [0])).to.throw(RangeError, 'values has 2 rows, indices has 1 elements');
    expect(() => new IndexedSlices([1], [0.5])).to.throw(
      RangeError,
      'indices must hold whole numbers of 32 bits, got 0.5',
    );
    expect(() => new IndexedSlices([1], [2 ** 31])).to.throw(RangeError, 'indices must hold whole numbers of 32 bits');
    expect(() => new IndexedSlices([1], 'x' as unknown as number[])).to.throw(
      TypeError,
      'indices must be an Int32Array',
    );
    expect(() => new IndexedSlices(new Float32Array(3), [0, 1], [5, 2])).to.throw(RangeError, 'values has 3 elements');
    expect(() => new IndexedSlices([1], [3], [2]).toDense()).to.throw(RangeError, 'indices[0] is 3');
    expect(() => new IndexedSlices([1], [0]).toDense()).to.throw(Error, 'without a denseShape');
  });
});

describe('GlobalStep', () => {
  it('counts from 0, in memory that can be shared', () => {
    const step = createGlobalStep();
    expect(step.value).to.equal(0);
    expect(step.increment()).to.equal(1);
    step.value = 2 ** 40;
    step.increment();
    expect(step.value).to.equal(2 ** 40 + 1);
    expect(new (step.constructor as new (buffer: SharedArrayBuffer) => typeof step)(step.buffer).value).to.equal(
      2 ** 40 + 1,
    );
    expect(() => (step.value = -1)).to.throw(RangeError, 'value must be a whole number that is not negative, got -1');
  });
});

describe('zip and unzip', () => {
  it('undo each other', () => {
    const pairs: [number, string][] = [
      [1, 'a'],
      [2, 'b'],
    ];
    const [numbers, letters] = unzip(pairs);
    expect(zip(numbers, letters)).to.deep.equal(pairs);
    expect(() => zip([1], [])).to.throw(RangeError, 'zip takes lists of one length, got 1 and 0');
  });
});
