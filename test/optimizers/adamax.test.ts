import { expect } from 'chai';
import { AdamaxOptimizer } from 'gradstep';
import { itIsNamed, itRefusesHyperparameters } from '../support/refusals';
import { expectNear, stepped, steppedRow, steppedRowDensely } from '../support/steps';

describe('AdamaxOptimizer', () => {
  it('takes the first step at full learning rate whatever the gradient scale', () => {
    const w = stepped(new AdamaxOptimizer({ learningRate: 0.1, epsilon: 0 }), [0, 0, 0], [[1e-10, -3, 1e10]]);
    expectNear(w.data, [-0.1, 0.1, -0.1]);
  });

  it('divides by the largest gradient, as it fades', () => {
    const optimizer = new AdamaxOptimizer({ learningRate: 1, beta1: 0, beta2: 0.5, epsilon: 1 });
    const w = stepped(optimizer, [0], [[-8], [2]]);
    expect([...optimizer.getSlot(w, 'u')!.data]).to.deep.equal([4]);
    expectNear(w.data, [8 / 9 - 2 / 5]);
  });

  it('moves all rows for a sparse gradient', () => {
    const sparse = steppedRow(new AdamaxOptimizer());
    expect([...sparse.data]).to.deep.equal([...steppedRowDensely(new AdamaxOptimizer()).data]);
  });

  itIsNamed('Adamax', () => new AdamaxOptimizer(), ['beta1_power', 'w/Adamax', 'w/Adamax_1']);
  itRefusesHyperparameters(
    (o) => new AdamaxOptimizer(o),
    {},
    { learningRate: [-1], beta1: [1], beta2: [1], epsilon: [-1] },
  );
});
