import { expect } from 'chai';
import { LarsOptimizer } from 'gradstep';
import { itIsNamed, itRefusesHyperparameters } from '../support/refusals';
import { expectNear, stepped, steppedRow, steppedRowDensely } from '../support/steps';

const valid = { learningRate: 1 };
const plain = { learningRate: 0.5, momentum: 0.5, weightDecay: 0, trustCoefficient: 0.1 };

describe('LarsOptimizer', () => {
  it('takes a first step of rate times trust coefficient times the norm of the variable, whatever the gradient scale', () => {
    for (const scale of [1e-8, 1, 1e8]) {
      const w = stepped(new LarsOptimizer(plain), [3, 4], [[0.6 * scale, -0.8 * scale]]);
      expectNear(w.data, [3 - 0.25 * 0.6, 4 + 0.25 * 0.8]);
    }
  });

  it('keeps the rate of its time in the velocity', () => {
    let learningRate = 1;
    const optimizer = new LarsOptimizer({ ...plain, learningRate: () => learningRate--, trustCoefficient: 1 });
    expectNear(stepped(optimizer, [8], [[1], [1]]).data, [0 - 4]);
  });

  it("looks ahead with Nesterov's", () => {
    const w = stepped(new LarsOptimizer({ ...plain, learningRate: 1, useNesterov: true }), [10], [[1]]);
    expectNear(w.data, [10 - 1 - 0.5]);
  });

  it('counts weight decay and epsilon in the trust ratio', () => {
    const optimizer = new LarsOptimizer({ ...plain, learningRate: 1, weightDecay: 0.5, epsilon: 2 });
    expectNear(stepped(optimizer, [4], [[1]]).data, [4 - ((0.1 * 4) / (1 + 0.5 * 4 + 2)) * (1 + 0.5 * 4)]);
  });

  it('takes the plain step where the variable or the gradient is zero', () => {
    expectNear(stepped(new LarsOptimizer(plain), [0], [[2]]).data, [-1]);
    expectNear(stepped(new LarsOptimizer({ ...plain, weightDecay: 0.1 }), [10], [[0]]).data, [9.5]);
  });

  it('makes a sparse gradient dense', () => {
    const sparse = steppedRow(new LarsOptimizer(valid));
    expect([...sparse.data]).to.deep.equal([...steppedRowDensely(new LarsOptimizer(valid)).data]);
  });

  itIsNamed('Lars', () => new LarsOptimizer(valid), ['w/Lars']);
  itRefusesHyperparameters((o) => new LarsOptimizer(o), valid, {
    learningRate: [-1],
    momentum: [],
    weightDecay: [-1],
    trustCoefficient: [-1],
    epsilon: [-1],
  });

  it('refuses useNesterov that is no boolean', () => {
    expect(() => new LarsOptimizer({ ...valid, useNesterov: 1 as never })).to.throw(TypeError, 'useNesterov');
  });
});
