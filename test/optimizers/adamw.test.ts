import { expect } from 'chai';
import { AdamWOptimizer, variable } from 'gradstep';
import { itIsNamed, itRefusesHyperparameters } from '../support/refusals';
import { expectNear, stepped, steppedRow, steppedRowDensely } from '../support/steps';

describe('AdamWOptimizer', () => {
  it('decays weights by rate times decay, past the moments', () => {
    const optimizer = new AdamWOptimizer({ learningRate: 0.5, weightDecay: 0.1 });
    const w = stepped(optimizer, [2, -4], [[0, 0]]);
    expectNear(w.data, [2 - 0.5 * 0.1 * 2, -4 + 0.5 * 0.1 * 4]);
    expect([...optimizer.getSlot(w, 'm')!.data, ...optimizer.getSlot(w, 'v')!.data]).to.deep.equal([0, 0, 0, 0]);
  });

  it('adds epsilon to the corrected root', () => {
    const options = { learningRate: 1, beta1: 0, beta2: 0.75, epsilon: 1, weightDecay: 0 };
    expectNear(stepped(new AdamWOptimizer(options), [0], [[2]]).data, [-2 / (2 + 1)]);
  });

  it('spares the weights that it is told to, and keeps one count of steps for all', () => {
    const asked: string[] = [];
    const optimizer = new AdamWOptimizer({
      learningRate: 0.5,
      weightDecay: 0.1,
      excludeFromWeightDecay: (name) => asked.push(name) > 0 && name.endsWith('/bias'),
    });
    const [bias, kernel] = [variable([2], { name: 'a/bias' }), variable([2], { name: 'a/kernel' })];
    const g = new Float32Array([0]);
    for (let i = 0; i < 2; i++) {
      optimizer.applyGradients([
        [g, bias],
        [g, kernel],
      ]);
    }
    expect(bias.item()).to.equal(2);
    expect(kernel.item()).to.be.closeTo(2 * 0.95 * 0.95, 1e-6);
    expect(asked).to.deep.equal(['a/bias', 'a/kernel']);
    const powers = optimizer.variables().filter(({ name }) => name.startsWith('beta'));
    expect(powers.map(({ name }) => name)).to.deep.equal(['beta1_power', 'beta2_power']);
    expectNear([powers[0]!.item()], [0.9 ** 3]);
  });

  it('refuses a predicate that is none, or answers with anything but a boolean', () => {
    const make = (excludeFromWeightDecay: unknown) =>
      new AdamWOptimizer({ excludeFromWeightDecay: excludeFromWeightDecay as never });
    expect(() => make('bias')).to.throw(TypeError, 'excludeFromWeightDecay must be a function, got "bias"');
    const w = variable([1], { name: 'w' });
    expect(() => make(() => 1).applyGradients([[new Float32Array([1]), w]])).to.throw(
      TypeError,
      "excludeFromWeightDecay('w') must be a boolean, got 1",
    );
    expect(w.item()).to.equal(1);
  });

  it('moves all rows for a sparse gradient', () => {
    const sparse = steppedRow(new AdamWOptimizer());
    expect([...sparse.data]).to.deep.equal([...steppedRowDensely(new AdamWOptimizer()).data]);
  });

  itIsNamed('AdamW', () => new AdamWOptimizer(), ['beta1_power', 'beta2_power', 'w/AdamW', 'w/AdamW_1']);
  itRefusesHyperparameters(
    (o) => new AdamWOptimizer(o),
    {},
    { learningRate: [-1], beta1: [1], beta2: [1], epsilon: [-1], weightDecay: [-0.1] },
  );
});
