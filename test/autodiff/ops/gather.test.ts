import { expect } from 'chai';
import * as fc from 'fast-check';
import { gradients, IndexedSlices, ops, tensor, variable, type Gradient } from 'gradstep';
import { denseOf, expectClose, expectFloat32, expectGradients, randomTensor } from '../../support/numeric-gradient';

function slices(gradient: Gradient | null | undefined): IndexedSlices {
  expect(gradient).to.be.instanceOf(IndexedSlices);
  return gradient as IndexedSlices;
}

describe('gather', () => {
  const table = [[1, 2], [3, 4], [5, 6]]; // prettier-ignore

  it('takes rows of the first dimension, in the order of the indices', () => {
    expect(ops.gather(tensor(table), [2, 0, 2]).toArray()).to.deep.equal([[5, 6], [1, 2], [5, 6]]); // prettier-ignore
    expect(ops.gather(tensor([7, 8, 9]), Int32Array.of(1)).toArray()).to.deep.equal([8]);
    expect(ops.gather(variable(table), []).shape).to.deep.equal([0, 2]);
    expect(ops.gather(tensor([], [0, 2]), []).shape).to.deep.equal([0, 2]);
    expect(ops.gather(tensor([], [3, 0]), [1, 1]).shape).to.deep.equal([2, 0]);
    expect(ops.gather(randomTensor([4, 3, 2]), [3]).shape).to.deep.equal([1, 3, 2]);
  });

  it('has a sparse gradient: the rows it took', () => {
    const embedding = variable(table);
    const [gradient] = gradients(
      () => ops.mul(ops.gather(embedding, [2, 0, 2]), tensor([[1], [10], [100]])),
      [embedding],
    );
    const { indices, values, denseShape } = slices(gradient);
    expect([...indices]).to.deep.equal([2, 0, 2]);
    expect(values.toArray()).to.deep.equal([[1, 1], [10, 10], [100, 100]]); // prettier-ignore
    expect(denseShape).to.deep.equal([3, 2]);
    expect([...denseOf(gradient)]).to.deep.equal([10, 10, 0, 0, 101, 101]);
  });

  it('has the gradient that differences show, for any rows', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 0, max: 18 }),
        fc.array(fc.nat(), { maxLength: 40 }),
        (rows, columns, picks) => {
          const indices = picks.map((pick) => pick % rows);
          expectGradients((params) => ops.gather(params, indices), [randomTensor([rows, columns])], 1e-6);
        },
      ),
      { numRuns: 40 },
    );
    expectGradients((params) => ops.square(ops.gather(params, [1, 1, 4])), [randomTensor([5])]);
    expectGradients((params) => ops.gather(params, [1, 1, 0]), [randomTensor([2, 3, 4])]);
    expectFloat32((params) => ops.gather(params, [4, 4, 0]), [randomTensor([5, 17])], 1e-6);
  });

  it('stays sparse where several gathers read one variable, their rows one after the other', () => {
    const embedding = variable(table);
    const [gradient] = gradients(
      () => ops.add(ops.reduceSum(ops.gather(embedding, [2, 0])), ops.reduceSum(ops.gather(embedding, [0]))),
      [embedding],
    );
    expect(slices(gradient).indices).to.have.length(3);
    expect([...denseOf(gradient)]).to.deep.equal([2, 2, 0, 0, 1, 1]);
  });

  it('becomes dense where another op reads all of the variable', () => {
    const embedding = variable(table);
    const [gradient] = gradients(
      () => ops.add(ops.reduceSum(ops.gather(embedding, [2, 2])), ops.l2Loss(embedding)),
      [embedding],
    );
    expect(gradient).not.to.be.instanceOf(IndexedSlices);
    expectClose(denseOf(gradient), [1, 2, 3, 4, 7, 8], 0);
  });

  it('lets gradients pass through to the ops before it', () => {
    expectGradients((x) => ops.gather(ops.square(x), [0, 2, 2]), [randomTensor([3, 5])]);
  });

  it('does not mind that the indices change afterwards', () => {
    const [embedding, indices] = [variable(table), Int32Array.of(2)];
    const [gradient] = gradients(() => {
      const rows = ops.gather(embedding, indices);
      indices[0] = 0;
      return rows;
    }, [embedding]);
    indices[0] = 1;
    expect([...slices(gradient).indices]).to.deep.equal([2]);
  });

  it('refuses an index that is no row, and what are no indices', () => {
    const params = tensor(table);
    expect(() => ops.gather(params, [0, 3])).to.throw(RangeError, 'indices[1] is 3, expected 0 to 3 (exclusive)');
    expect(() => ops.gather(params, [-1])).to.throw(RangeError, 'indices[0] is -1, expected 0 to 3 (exclusive)');
    expect(() => ops.gather(tensor([], [0, 2]), [0])).to.throw(RangeError, 'indices[0] is 0');
    expect(() => ops.gather(params, [0.5])).to.throw(RangeError, 'indices must hold whole numbers of 32 bits, got 0.5');
    expect(() => ops.gather(params, 0 as never)).to.throw(
      TypeError,
      'indices must be an Int32Array or an array of numbers',
    );
    expect(() => ops.gather(1, [0])).to.throw(RangeError, 'params has shape []: it must have at least one dimension');
    expect(() => ops.gather(null as never, [0])).to.throw(TypeError, 'params must be a Tensor');
  });
});
