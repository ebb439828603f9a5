import { expect } from 'chai';
import { RMSPropOptimizer } from 'gradstep';
import { itIsNamed, itRefusesHyperparameters } from '../support/refusals';
import { expectNear, stepped, steppedRow } from '../support/steps';

const valid = { learningRate: 1 };

describe('RMSPropOptimizer', () => {
  it('starts from squares of 1, with epsilon inside the root', () => {
    const optimizer = new RMSPropOptimizer({ ...valid, decay: 0.5, epsilon: 1 });
    const w = stepped(optimizer, [0], [[2]]);
    expect([...optimizer.getSlot(w, 'rms')!.data]).to.deep.equal([2.5]);
    expectNear(w.data, [-2 / Math.sqrt(3.5)]);
  });

  it('folds the rate into the momentum', () => {
    let learningRate = 1;
    const optimizer = new RMSPropOptimizer({ learningRate: () => learningRate--, decay: 1, momentum: 0.5, epsilon: 0 });
    expectNear(stepped(optimizer, [0], [[2], [2]]).data, [-2 - 1]);
  });

  it('divides by the deviation when centered', () => {
    const optimizer = new RMSPropOptimizer({ ...valid, decay: 0.5, epsilon: 0, centered: true });
    const w = stepped(optimizer, [0], [[2]]);
    expect(optimizer.getSlotNames()).to.deep.equal(['mg', 'momentum', 'rms']);
    expectNear(w.data, [-2 / Math.sqrt(2.5 - 1)]);
  });

  it('moves only the rows of a sparse gradient', () => {
    const optimizer = new RMSPropOptimizer({ ...valid, decay: 0.5, momentum: 0.5 });
    const w = steppedRow(optimizer);
    expectNear(optimizer.getSlot(w, 'rms')!.data, [0.53125, 0.390625, 0.53125]);
    expectNear(w.data, [1 - 0.25 / Math.sqrt(0.53125), w.data[1]!, 3 - 0.25 / Math.sqrt(0.53125)], 1e-9);
  });

  itIsNamed('RMSProp', () => new RMSPropOptimizer(valid), ['w/RMSProp', 'w/RMSProp_1']);
  itRefusesHyperparameters((o) => new RMSPropOptimizer(o), valid, {
    learningRate: [-1],
    decay: [-0.1, 1.1],
    momentum: [],
    epsilon: [-1],
  });

  it('refuses centered that is no boolean', () => {
    expect(() => new RMSPropOptimizer({ ...valid, centered: 'yes' as never })).to.throw(TypeError, 'centered');
  });
});
