import { expect } from 'chai';
import { MomentumOptimizer } from 'gradstep';
import { itIsNamed, itRefusesHyperparameters } from '../support/refusals';
import { expectNear, stepped, steppedRow } from '../support/steps';

const valid = { learningRate: 1, momentum: 0.5 };

describe('MomentumOptimizer', () => {
  it('accumulates gradients without dampening', () => {
    const optimizer = new MomentumOptimizer(valid);
    const w = stepped(optimizer, [0], [[1], [1]]);
    expect([...optimizer.getSlot(w, 'momentum')!.data]).to.deep.equal([1.5]);
    expect([...w.data]).to.deep.equal([-2.5]);
  });

  it("looks ahead with Nesterov's", () => {
    const w = stepped(new MomentumOptimizer({ ...valid, useNesterov: true }), [0], [[1], [1]]);
    expect([...w.data]).to.deep.equal([-1.5 - 1.75]);
  });

  it('does not decay the accumulators of rows without a gradient', () => {
    const optimizer = new MomentumOptimizer(valid);
    const w = steppedRow(optimizer);
    expectNear(optimizer.getSlot(w, 'momentum')!.data, [0.25, 0.625, 0.25]);
    expectNear(w.data, [0.75, 1.125, 2.75]);
  });

  itIsNamed('Momentum', () => new MomentumOptimizer(valid), ['w/Momentum']);
  itRefusesHyperparameters((o) => new MomentumOptimizer(o), valid, { learningRate: [-1], momentum: [] });

  it('refuses useNesterov that is no boolean', () => {
    expect(() => new MomentumOptimizer({ ...valid, useNesterov: 1 as never })).to.throw(TypeError, 'useNesterov');
  });
});
