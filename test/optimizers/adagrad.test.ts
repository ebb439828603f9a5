import { expect } from 'chai';
import { AdagradOptimizer } from 'gradstep';
import { itIsNamed, itRefusesHyperparameters } from '../support/refusals';
import { expectNear, stepped, steppedRow } from '../support/steps';

describe('AdagradOptimizer', () => {
  it('slows down by the root of all squares so far, from 0.1 on', () => {
    const optimizer = new AdagradOptimizer({ learningRate: 3 });
    const w = stepped(optimizer, [1], [[0.1], [0.2]]);
    expectNear(optimizer.getSlot(w, 'accumulator')!.data, [0.15]);
    expectNear(w.data, [1 - 0.3 / Math.sqrt(0.11) - 0.6 / Math.sqrt(0.15)]);
  });

  it('moves only the rows of a sparse gradient', () => {
    const optimizer = new AdagradOptimizer({ learningRate: 1, initialAccumulatorValue: 0.1875 });
    const w = steppedRow(optimizer);
    expect([...optimizer.getSlot(w, 'accumulator')!.data]).to.deep.equal([0.25, 0.5, 0.25]);
    expectNear(w.data, [0.5, 1.5 - 0.5 / Math.sqrt(0.5), 2.5]);
  });

  itIsNamed('Adagrad', () => new AdagradOptimizer({ learningRate: 1 }), ['w/Adagrad']);
  itRefusesHyperparameters(
    (o) => new AdagradOptimizer(o),
    { learningRate: 1 },
    { learningRate: [-1], initialAccumulatorValue: [0, -0.1] },
  );
});
