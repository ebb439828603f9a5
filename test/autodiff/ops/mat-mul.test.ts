import { expect } from 'chai';
import * as fc from 'fast-check';
import { gradients, ops, tensor, variable, type Tensor } from 'gradstep';
import { denseOf, expectClose, expectFloat32, expectGradients, randomTensor } from '../../support/numeric-gradient';

interface Flags {
  transposeA?: boolean;
  transposeB?: boolean;
}

const everyFlags: Required<Flags>[] = [false, true].flatMap((transposeA) =>
  [false, true].map((transposeB) => ({ transposeA, transposeB })),
);

/** Tensors whose product is [m, n], with inner dimension k, stored as the flags say. */
function operands(m: number, k: number, n: number, flags: Flags, lead: number[] = []): [Tensor, Tensor] {
  return [
    randomTensor([...lead, ...(flags.transposeA ? [k, m] : [m, k])]),
    randomTensor([...lead, ...(flags.transposeB ? [n, k] : [k, n])], { seed: 2 }),
  ];
}

/** The product by its definition, matrix by matrix. */
function product(a: Tensor, b: Tensor, [m, k, n]: [number, number, number], flags: Flags): Float64Array {
  const count = a.shape.slice(0, -2).reduce((all, dim) => all * dim, 1);
  const c = new Float64Array(count * m * n);
  for (let g = 0; g < count; g++) {
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let p = 0; p < k; p++) {
          const left = a.data[g * m * k + (flags.transposeA ? p * m + i : i * k + p)]!;
          sum += left * b.data[g * k * n + (flags.transposeB ? j * k + p : p * n + j)]!;
        }
        c[(g * m + i) * n + j] = sum;
      }
    }
  }
  return c;
}

/** Matrices over leading dimensions, again for each repetition in `lead`. */
function repeated(a: Tensor, lead: readonly number[]): Tensor {
  const [rows, columns] = a.shape.slice(-2) as [number, number];
  const elements = rows * columns;
  const own = a.shape.slice(0, -2);
  const from = new Array<number>(lead.length - own.length).fill(1).concat(own);
  const count = lead.reduce((all, dim) => all * dim, 1);
  const out = new Float64Array(count * elements);
  for (let i = 0; i < count; i++) {
    let [rest, at, step] = [i, 0, 1];
    for (let d = lead.length - 1; d >= 0; d--) {
      if (from[d] !== 1) at += (rest % lead[d]!) * step;
      rest = Math.floor(rest / lead[d]!);
      step *= from[d]!;
    }
    out.set(a.data.subarray(at * elements, (at + 1) * elements), i * elements);
  }
  return tensor(out, [...lead, rows, columns]);
}

const sizes: [number, number, number][] = [
  [1, 1, 1],
  [1, 15, 1],
  [2, 3, 4],
  [16, 16, 16],
  [17, 1, 33],
  [5, 31, 17],
  [33, 7, 15],
  [0, 3, 2],
  [3, 0, 2],
  [2, 3, 0],
];

describe('matMul', () => {
  for (const flags of everyFlags) {
    const { transposeA, transposeB } = flags;
    const name = `${transposeA ? 'aᵀ' : 'a'} ${transposeB ? 'bᵀ' : 'b'}`;

    it(`is the matrix product ${name}`, () => {
      for (const [m, k, n] of sizes) {
        const [a, b] = operands(m, k, n, flags);
        const c = ops.matMul(a, b, flags);
        expect(c.shape).to.deep.equal([m, n]);
        expectClose(c.data, product(a, b, [m, k, n], flags), 1e-13);
      }
    });

    it(`has the gradients that differences show: ${name}`, () => {
      for (const [m, k, n] of sizes) expectGradients((a, b) => ops.matMul(a, b, flags), operands(m, k, n, flags));
    });

    it(`multiplies matrix by matrix over equal leading dimensions: ${name}`, () => {
      for (const lead of [[3], [2, 2], [1], [0]]) {
        const [a, b] = operands(3, 5, 2, flags, lead);
        const c = ops.matMul(a, b, flags);
        expect(c.shape).to.deep.equal([...lead, 3, 2]);
        expectClose(c.data, product(a, b, [3, 5, 2], flags), 1e-13);
        expectGradients((x, y) => ops.matMul(x, y, flags), [a, b]);
      }
    });

    it(`broadcasts leading dimensions: ${name}`, () => {
      const leads = [[[3], []], [[], [3]], [[2, 1], [3]], [[1, 3], [2, 1]], [[1], [2, 2]], [[0], [1]], [[5, 1, 2], [4, 1]]]; // prettier-ignore
      for (const [leadA, leadB] of leads) {
        const [a] = operands(3, 5, 2, flags, leadA);
        const [, b] = operands(3, 5, 2, flags, leadB);
        const c = ops.matMul(a, b, flags);
        const lead = ops.add(randomTensor(leadA!), randomTensor(leadB!)).shape;
        expect(c.shape).to.deep.equal([...lead, 3, 2]);
        const [wholeA, wholeB] = [repeated(a, lead), repeated(b, lead)];
        expectClose(c.data, product(wholeA, wholeB, [3, 5, 2], flags), 1e-13);
        expectGradients((x, y) => ops.matMul(x, y, flags), [a, b]);
      }
    });

    it(`does the same in float32, to its precision: ${name}`, () => {
      expectFloat32((a, b) => ops.matMul(a, b, flags), operands(33, 65, 17, flags), 2e-5);
    });
  }

  it('agrees with the definition for any sizes', () => {
    const size = fc.integer({ min: 0, max: 40 });
    fc.assert(
      fc.property(size, size, size, fc.constantFrom(...everyFlags), (m, k, n, flags) => {
        const [a, b] = operands(m, k, n, flags);
        expectClose(ops.matMul(a, b, flags).data, product(a, b, [m, k, n], flags), 1e-12);
      }),
      { numRuns: 50 },
    );
  });

  it('is 0 where there is nothing to add up, whatever the memory held before', () => {
    const used = ops.add(tensor(new Float32Array(6).fill(7), [2, 3]), 1);
    used.dispose();
    expect([...ops.matMul(tensor([], [2, 0]), tensor([], [0, 3])).data]).to.deep.equal([0, 0, 0, 0, 0, 0]);
  });

  it('squares a matrix, whose gradient comes from both sides', () => {
    expectGradients((x) => ops.matMul(x, x), [randomTensor([7, 7])]);
    expectGradients((x) => ops.matMul(x, x, { transposeB: true }), [randomTensor([5, 3])]);
  });

  it('lets NaN and infinities through', () => {
    const c = ops.matMul(tensor([[NaN, 1], [0, Infinity]]), tensor([[1, 0], [0, 1]])); // prettier-ignore
    expect(c.toArray()).to.deep.equal([[NaN, NaN], [NaN, Infinity]]); // prettier-ignore
  });

  it('asks for no gradient of a constant', () => {
    const [x, w] = [tensor([[1, 2]]), variable([[3], [4]])];
    const [dw] = gradients(() => ops.matMul(x, w), [w]);
    expect([...denseOf(dw)]).to.deep.equal([1, 2]);
  });

  it('refuses shapes that do not fit', () => {
    const [matrix, row] = [tensor([[1, 2, 3], [4, 5, 6]]), tensor([1, 2, 3])]; // prettier-ignore
    const [two, three] = [tensor(new Float32Array(12), [2, 2, 3]), tensor(new Float32Array(18), [3, 2, 3])];
    expect(() => ops.matMul(matrix, matrix)).to.throw(
      RangeError,
      'a has shape [2, 3], b has shape [2, 3]: inner dimensions 3 and 2 must be equal',
    );
    expect(() => ops.matMul(matrix, matrix, { transposeA: true, transposeB: true })).to.throw(
      RangeError,
      'a has shape [2, 3], b has shape [2, 3]: inner dimensions 2 and 3 must be equal',
    );
    expect(() => ops.matMul(matrix, row)).to.throw(
      RangeError,
      'a has shape [2, 3], b has shape [3]: both must have at least two dimensions',
    );
    expect(() => ops.matMul(2, matrix)).to.throw(RangeError, 'a has shape [], b has shape [2, 3]');
    expect(() => ops.matMul(two, three, { transposeB: true })).to.throw(
      RangeError,
      'a has shape [2, 2, 3], b has shape [3, 2, 3]: leading dimensions must be equal',
    );
  });

  it('refuses other dtypes, kinds and options', () => {
    const [a, b] = [tensor([[1]]), tensor([[1]], [1, 1], 'float64')];
    expect(() => ops.matMul(a, b)).to.throw(TypeError, 'a is float32 and b is float64; they must be the same');
    expect(() => ops.matMul([[1]] as never, b)).to.throw(TypeError, 'a must be a Tensor, a Variable, a typed array');
    expect(() => ops.matMul(a, a, { transposeA: 1 as never })).to.throw(
      TypeError,
      'transposeA must be a boolean, got 1',
    );
    expect(() => ops.matMul(a, a, { transposeB: 'no' as never })).to.throw(TypeError, 'transposeB must be a boolean');
    expect(() => ops.matMul(a, a, true as never)).to.throw(TypeError, 'options must be an object, got true');
  });
});
