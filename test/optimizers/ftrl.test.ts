import { expect } from 'chai';
import { AdagradOptimizer, FtrlOptimizer, GradientDescentOptimizer, variable } from 'gradstep';
import { itIsNamed, itRefusesHyperparameters } from '../support/refusals';
import { expectNear, stepped, steppedRow } from '../support/steps';

const valid = { learningRate: 0.5 };
const gradients = [
  [0.1, -0.2],
  [0.3, 0.1],
  [-0.2, 0.4],
];

describe('FtrlOptimizer', () => {
  it('is Adagrad from zero, without regularization', () => {
    const w = stepped(new FtrlOptimizer(valid), [0, 0], gradients);
    expectNear(w.data, [...stepped(new AdagradOptimizer(valid), [0, 0], gradients).data]);
  });

  it('is gradient descent from zero at power 0', () => {
    const w = stepped(new FtrlOptimizer({ ...valid, learningRatePower: 0 }), [0, 0], gradients);
    expectNear(w.data, [...stepped(new GradientDescentOptimizer(valid), [0, 0], gradients).data]);
  });

  it('zeroes what stays within l1', () => {
    const w = stepped(new FtrlOptimizer({ ...valid, l1RegularizationStrength: 1 }), [0, 0], [[0.9, -1.1]]);
    expect(w.data[0]).to.equal(0);
    expectNear([w.data[1]!], [0.1 / (Math.sqrt(1.31) / 0.5)]);
  });

  it('does not let shrinkage into the accumulator', () => {
    const make = (l2ShrinkageRegularizationStrength: number) =>
      new FtrlOptimizer({ ...valid, l2ShrinkageRegularizationStrength });
    const [without, shrinking] = [make(0), make(0.5)];
    const [a, b] = [stepped(without, [1, 2], gradients), stepped(shrinking, [1, 2], gradients)];
    expect([...shrinking.getSlot(b, 'accum')!.data]).to.deep.equal([...without.getSlot(a, 'accum')!.data]);
    expect(Math.abs(b.data[0]!)).to.be.below(Math.abs(a.data[0]!));
  });

  it('divides by beta and l2 as well', () => {
    const w = stepped(new FtrlOptimizer({ ...valid, beta: 2, l2RegularizationStrength: 3 }), [0], [[1]]);
    expectNear(w.data, [-1 / ((Math.sqrt(1.1) + 2) / 0.5 + 6)]);
  });

  it('keeps NaN where TensorFlow would put 0', () => {
    expect(stepped(new FtrlOptimizer({ ...valid, l1RegularizationStrength: 1 }), [0], [[NaN]]).data[0]).to.be.NaN;
  });

  it('moves only the rows of a sparse gradient', () => {
    const optimizer = new FtrlOptimizer(valid);
    const w = steppedRow(optimizer);
    expectNear(optimizer.getSlot(w, 'accum')!.data, [0.1625, 0.4125, 0.1625]);
  });

  it('names its slots as it is told to', () => {
    const optimizer = new FtrlOptimizer({ ...valid, accumName: 'n', linearName: 'z' });
    optimizer.createSlots([variable([1], { name: 'w' })]);
    expect(optimizer.variables().map(({ name }) => name)).to.deep.equal(['w/n', 'w/z']);
    expect(() => new FtrlOptimizer({ ...valid, accumName: '' })).to.throw(RangeError, 'accumName must not be empty');
    expect(() => new FtrlOptimizer({ ...valid, linearName: 1 as never })).to.throw(TypeError, 'linearName');
  });

  itIsNamed('Ftrl', () => new FtrlOptimizer(valid), ['w/Ftrl', 'w/Ftrl_1']);
  itRefusesHyperparameters((o) => new FtrlOptimizer(o), valid, {
    learningRate: [0, -1],
    learningRatePower: [0.5],
    initialAccumulatorValue: [-0.1],
    l1RegularizationStrength: [-0.1],
    l2RegularizationStrength: [-0.1],
    l2ShrinkageRegularizationStrength: [-0.1],
    beta: [],
  });
});
