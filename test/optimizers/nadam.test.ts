import { expect } from 'chai';
import { NadamOptimizer } from 'gradstep';
import { itIsNamed, itRefusesHyperparameters } from '../support/refusals';
import { expectNear, stepped, steppedRow, steppedRowDensely } from '../support/steps';

describe('NadamOptimizer', () => {
  it('takes the first step from the mean as it will be and the gradient as it is', () => {
    const w = stepped(new NadamOptimizer({ learningRate: 1, epsilon: 0, momentumDecay: 0 }), [0], [[2]]);
    const mu = 0.45; // 0.9 (1 - 1 / 2), without a schedule
    const mean = (mu * 0.2) / (1 - mu * mu) + ((1 - mu) * 2) / (1 - mu);
    expectNear(w.data, [-mean / 2]);
  });

  it('raises the momentum from half of beta1 to beta1', () => {
    const optimizer = new NadamOptimizer({ momentumDecay: 1 });
    stepped(optimizer, [0], [[1], [1], [1]]);
    const state = Object.fromEntries(optimizer.variables().map((v) => [v.name, v.data[0]!]));
    const mu = (t: number) => 0.9 * (1 - 0.5 * 0.96 ** t);
    expectNear([state['momentum_product']!], [mu(1) * mu(2) * mu(3)]);
    expectNear([state['momentum_decay_power']!, state['beta2_power']!], [0.96 ** 4, 0.999 ** 4]);
  });

  it('moves all rows for a sparse gradient', () => {
    const sparse = steppedRow(new NadamOptimizer());
    expect([...sparse.data]).to.deep.equal([...steppedRowDensely(new NadamOptimizer()).data]);
  });

  itIsNamed('Nadam', () => new NadamOptimizer(), [
    'beta2_power',
    'momentum_decay_power',
    'momentum_product',
    'w/Nadam',
    'w/Nadam_1',
  ]);
  itRefusesHyperparameters(
    (o) => new NadamOptimizer(o),
    {},
    { learningRate: [-1], beta1: [1], beta2: [1], epsilon: [-1], momentumDecay: [-1] },
  );
});
