import { expect } from 'chai';
import { AdagradOptimizer, ProximalAdagradOptimizer } from 'gradstep';
import { itIsNamed, itRefusesHyperparameters } from '../support/refusals';
import { expectNear, stepped, steppedRow } from '../support/steps';

const valid = { learningRate: 0.5 };

describe('ProximalAdagradOptimizer', () => {
  it('is Adagrad without regularization', () => {
    const gradients = [
      [0.3, -0.7],
      [0.1, 0.2],
    ];
    const w = stepped(new ProximalAdagradOptimizer(valid), [1, 2], gradients);
    expectNear(w.data, [...stepped(new AdagradOptimizer(valid), [1, 2], gradients).data]);
  });

  it('shrinks by the rate of each element', () => {
    const optimizer = new ProximalAdagradOptimizer({
      learningRate: 1,
      initialAccumulatorValue: 3,
      l1RegularizationStrength: 1,
      l2RegularizationStrength: 2,
    });
    expectNear(stepped(optimizer, [2], [[1]]).data, [(2 - 0.5 - 0.5) / (1 + 2 * 0.5)]);
  });

  it('moves only the rows of a sparse gradient', () => {
    const optimizer = new ProximalAdagradOptimizer(valid);
    const w = steppedRow(optimizer);
    expectNear(optimizer.getSlot(w, 'accumulator')!.data, [0.1625, 0.4125, 0.1625]);
    expect(w.data[0]! - 1).to.be.closeTo(w.data[2]! - 3, 1e-12);
  });

  itIsNamed('ProximalAdagrad', () => new ProximalAdagradOptimizer(valid), ['w/ProximalAdagrad']);
  itRefusesHyperparameters((o) => new ProximalAdagradOptimizer(o), valid, {
    learningRate: [-1],
    initialAccumulatorValue: [0, -1],
    l1RegularizationStrength: [],
    l2RegularizationStrength: [],
  });
});
