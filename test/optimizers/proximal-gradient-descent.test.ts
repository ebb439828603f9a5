import { expect } from 'chai';
import { GradientDescentOptimizer, ProximalGradientDescentOptimizer } from 'gradstep';
import { itIsNamed, itRefusesHyperparameters } from '../support/refusals';
import { expectNear, stepped, steppedRow } from '../support/steps';

const valid = { learningRate: 0.5 };

describe('ProximalGradientDescentOptimizer', () => {
  it('is gradient descent without regularization', () => {
    const w = stepped(new ProximalGradientDescentOptimizer(valid), [1, 2], [[0.3, -0.7]]);
    expect([...w.data]).to.deep.equal([...stepped(new GradientDescentOptimizer(valid), [1, 2], [[0.3, -0.7]]).data]);
  });

  it('shrinks towards zero by l1, and then by l2', () => {
    const options = { ...valid, l1RegularizationStrength: 1, l2RegularizationStrength: 2 };
    const w = stepped(new ProximalGradientDescentOptimizer(options), [2, -2, 0.4], [[0, 0, 0]]);
    expectNear(w.data, [1.5 / 2, -1.5 / 2, 0]);
  });

  it('takes an l1 below zero for none, as TensorFlow does', () => {
    const w = stepped(new ProximalGradientDescentOptimizer({ ...valid, l1RegularizationStrength: -1 }), [2], [[1]]);
    expect([...w.data]).to.deep.equal([1.5]);
  });

  it('moves only the rows of a sparse gradient', () => {
    const w = steppedRow(new ProximalGradientDescentOptimizer({ learningRate: 1, l1RegularizationStrength: 0.25 }));
    expectNear(w.data, [0.5, 0.75, 2.5]);
  });

  itIsNamed('ProximalGradientDescent', () => new ProximalGradientDescentOptimizer(valid), []);
  itRefusesHyperparameters((o) => new ProximalGradientDescentOptimizer(o), valid, {
    learningRate: [-1],
    l1RegularizationStrength: [],
    l2RegularizationStrength: [],
  });
});
