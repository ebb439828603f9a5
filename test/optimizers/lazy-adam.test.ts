import { expect } from 'chai';
import { AdamOptimizer, LazyAdamOptimizer } from 'gradstep';
import { itIsNamed, itRefusesHyperparameters } from '../support/refusals';
import { expectNear, stepped, steppedRow, steppedRowDensely } from '../support/steps';

const bad = { learningRate: [-1], beta1: [-0.1, 1], beta2: [-0.1, 1], epsilon: [-1e-8] };
const names = ['beta1_power', 'beta2_power'];

describe('LazyAdamOptimizer', () => {
  it('is Adam for dense gradients', () => {
    const gradients = [[0.1], [0.2], [-0.3]];
    const lazy = stepped(new LazyAdamOptimizer(), [1], gradients);
    expect([...lazy.data]).to.deep.equal([...stepped(new AdamOptimizer(), [1], gradients).data]);
  });

  it('leaves rows without a gradient and their slots as they are, but counts the step', () => {
    const optimizer = new LazyAdamOptimizer({ learningRate: 0.1, epsilon: 0 });
    const w = steppedRow(optimizer);
    expectNear([w.data[0]!, w.data[2]!], [0.9, 2.9]);
    expectNear(optimizer.getSlot(w, 'm')!.data, [0.025, 0.0725, 0.025]);
    const dense = steppedRowDensely(new AdamOptimizer({ learningRate: 0.1, epsilon: 0 }));
    expect(w.data[1]).to.equal(dense.data[1]);
  });

  itIsNamed('LazyAdam', () => new LazyAdamOptimizer(), [...names, 'w/LazyAdam', 'w/LazyAdam_1']);
  itRefusesHyperparameters((o) => new LazyAdamOptimizer(o), {}, bad);
});
