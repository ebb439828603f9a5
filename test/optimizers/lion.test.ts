import { expect } from 'chai';
import { LionOptimizer, variable } from 'gradstep';
import { itIsNamed, itRefusesHyperparameters } from '../support/refusals';
import { expectNear, stepped, steppedRow, steppedRowDensely } from '../support/steps';

describe('LionOptimizer', () => {
  it('takes steps of one length, and none where there is nothing', () => {
    const w = stepped(new LionOptimizer({ learningRate: 0.5 }), [1, 1, 1], [[1e-30, -1e30, 0]]);
    expect([...w.data]).to.deep.equal([0.5, 1.5, 1]);
  });

  it('steps by beta1 and remembers by beta2', () => {
    const optimizer = new LionOptimizer({ learningRate: 1, beta1: 0.25, beta2: 0.75 });
    const w = stepped(optimizer, [0], [[4], [-1]]);
    // m = 1, then c = 0.25 - 0.75
    expect([...w.data]).to.deep.equal([0]);
    expectNear(optimizer.getSlot(w, 'm')!.data, [0.75 * 1 - 0.25]);
  });

  it('decays weights but those it is told to spare', () => {
    const excludeFromWeightDecay = (name: string) => name === 'b';
    const optimizer = new LionOptimizer({ learningRate: 0.5, weightDecay: 0.5, excludeFromWeightDecay });
    const [a, b] = [variable([4], { name: 'a' }), variable([4], { name: 'b' })];
    const g = new Float32Array([0]);
    optimizer.applyGradients([
      [g, a],
      [g, b],
    ]);
    expect([a.item(), b.item()]).to.deep.equal([3, 4]);
  });

  it('moves all rows for a sparse gradient', () => {
    const sparse = steppedRow(new LionOptimizer());
    expect([...sparse.data]).to.deep.equal([...steppedRowDensely(new LionOptimizer()).data]);
  });

  itIsNamed('Lion', () => new LionOptimizer(), ['w/Lion']);
  itRefusesHyperparameters(
    (o) => new LionOptimizer(o),
    {},
    { learningRate: [-1], beta1: [-0.1, 1.1], beta2: [-0.1, 1.1], weightDecay: [-1] },
  );
});
