import { expect } from 'chai';
import { AdamOptimizer, AMSGradOptimizer } from 'gradstep';
import { itIsNamed, itRefusesHyperparameters } from '../support/refusals';
import { expectNear, stepped, steppedRow, steppedRowDensely } from '../support/steps';

describe('AMSGradOptimizer', () => {
  it('is Adam while v grows', () => {
    const gradients = [[1], [2], [3]];
    const w = stepped(new AMSGradOptimizer({ learningRate: 0.1 }), [1], gradients);
    expect([...w.data]).to.deep.equal([...stepped(new AdamOptimizer({ learningRate: 0.1 }), [1], gradients).data]);
  });

  it('divides by the largest v there was', () => {
    const optimizer = new AMSGradOptimizer({ learningRate: 1, beta1: 0, beta2: 0.5, epsilon: 0 });
    const w = stepped(optimizer, [0], [[4], [1]]);
    expectNear(optimizer.getSlot(w, 'v')!.data, [4.5]);
    expectNear(optimizer.getSlot(w, 'vhat')!.data, [8]);
    expectNear(w.data, [-1 - Math.sqrt(0.75) / Math.sqrt(8)]);
  });

  it('moves all rows for a sparse gradient', () => {
    const sparse = steppedRow(new AMSGradOptimizer());
    expect([...sparse.data]).to.deep.equal([...steppedRowDensely(new AMSGradOptimizer()).data]);
  });

  itIsNamed('AMSGrad', () => new AMSGradOptimizer(), [
    'beta1_power',
    'beta2_power',
    'w/AMSGrad',
    'w/AMSGrad_1',
    'w/AMSGrad_2',
  ]);
  itRefusesHyperparameters(
    (o) => new AMSGradOptimizer(o),
    {},
    { learningRate: [-1], beta1: [1], beta2: [1], epsilon: [-1] },
  );
});
