import { expect } from 'chai';
import { GradientDescentOptimizer } from 'gradstep';
import { itIsNamed, itRefusesHyperparameters } from '../support/refusals';
import { expectNear, stepped, steppedRow } from '../support/steps';

describe('GradientDescentOptimizer', () => {
  it('walks against the gradient, by the rate', () => {
    const w = stepped(new GradientDescentOptimizer({ learningRate: 0.5 }), [1, 2], [[2, -4]]);
    expect([...w.data]).to.deep.equal([0, 4]);
  });

  it('asks a learning rate that is a function at every step', () => {
    let rate = 1;
    const w = stepped(new GradientDescentOptimizer({ learningRate: () => (rate /= 2) }), [0], [[1], [1], [1]]);
    expect([...w.data]).to.deep.equal([-0.875]);
  });

  it('does not squeeze the rate through float32', () => {
    const w = stepped(new GradientDescentOptimizer({ learningRate: 0.1 }), [0], [[1]]);
    expect([...w.data]).to.deep.equal([-0.1]);
  });

  it('moves only the rows of a sparse gradient', () => {
    expectNear(steppedRow(new GradientDescentOptimizer({ learningRate: 1 })).data, [0.75, 1.25, 2.75]);
  });

  itIsNamed('GradientDescent', () => new GradientDescentOptimizer({ learningRate: 1 }), []);
  itRefusesHyperparameters((o) => new GradientDescentOptimizer(o), { learningRate: 1 }, { learningRate: [-1] });

  it('needs a learning rate', () => {
    for (const options of [undefined, {}, { learningRate: undefined }]) {
      expect(() => new GradientDescentOptimizer(options as never)).to.throw(TypeError, 'learningRate is required');
    }
  });
});
