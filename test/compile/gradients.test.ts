import { expect } from 'chai';
import { compileGradients } from '../../lib/compile/compile-gradients';
import { gradients, IndexedSlices, ops, tidy, variable, type Tensor } from '../../lib/index';

describe('compileGradients', () => {
  it('writes the loss and dense gradients where they are wanted', () => {
    const [table, other, unused] = [
      variable([
        [1, 2],
        [3, 4],
        [5, 6],
      ]),
      variable([[0.5, 2]]),
      variable([1, 2]),
    ];
    const rows = Int32Array.of(2, 0, 2);
    const loss = (given: Int32Array): Tensor => ops.reduceSum(ops.square(ops.mul(ops.gather(table, given), other)));
    const wanted = [table, other, unused].map(({ size }) => new Float32Array(new SharedArrayBuffer(4 * size)));
    const program = compileGradients({
      inputs: { rows: { shape: [3], dtype: 'int32' } },
      loss: ({ rows }) => ops.reduceSum(ops.square(ops.mul(ops.gather(table, rows), other))),
      variables: [table, other, unused],
      gradients: wanted,
    });
    const value = program.runSync({ rows });
    expect(value).to.equal(tidy(() => loss(rows).item()));
    const [ofTable, ofOther] = gradients(() => loss(rows), [table, other]);
    expect(ofTable).to.be.instanceOf(IndexedSlices);
    expect([...wanted[0]!]).to.deep.equal([...(ofTable as IndexedSlices).toDense().data]);
    expect([...wanted[1]!]).to.deep.equal([...(ofOther as Tensor).data]);
    expect([...wanted[2]!]).to.deep.equal([0, 0]);
  });
});
