import { expect } from 'chai';
import { LambOptimizer, variable } from 'gradstep';
import { itIsNamed, itRefusesHyperparameters } from '../support/refusals';
import { expectNear, stepped, steppedRow, steppedRowDensely } from '../support/steps';

describe('LambOptimizer', () => {
  it('takes a first step as long as the rate times the norm of the variable', () => {
    const w = stepped(new LambOptimizer({ learningRate: 0.1, epsilon: 0 }), [3, 4], [[1e-5, -7]]);
    expectNear(w.data, [3 - 0.1 * 5 * Math.SQRT1_2, 4 + 0.1 * 5 * Math.SQRT1_2]);
  });

  it('measures each variable by itself, and all of it', () => {
    const optimizer = new LambOptimizer({ learningRate: 0.5, epsilon: 0 });
    const [small, large] = [variable([1], { dtype: 'float64' }), variable(new Float64Array(50000).fill(2))];
    optimizer.applyGradients([
      [Float64Array.of(3), small],
      [new Float64Array(50000).fill(1), large],
    ]);
    expectNear([small.data[0]!, large.data[0]!, large.data[49999]!], [0.5, 1, 1]);
  });

  it('takes the plain step where the variable or the direction is zero', () => {
    expectNear(stepped(new LambOptimizer({ learningRate: 0.1, epsilon: 0 }), [0, 0], [[1, -2]]).data, [-0.1, 0.1]);
    expectNear(stepped(new LambOptimizer(), [1, 2], [[0, 0]]).data, [1, 2]);
  });

  it('decays weights as part of the direction, but those it is told to spare', () => {
    const optimizer = new LambOptimizer({
      learningRate: 0.5,
      weightDecay: 0.25,
      excludeFromWeightDecay: (name) => name === 'b',
    });
    const [a, b] = [variable([4], { name: 'a' }), variable([4], { name: 'b' })];
    const g = new Float32Array([0]);
    optimizer.applyGradients([
      [g, a],
      [g, b],
    ]);
    expect([a.item(), b.item()]).to.deep.equal([2, 4]);
  });

  it('makes a sparse gradient dense', () => {
    const sparse = steppedRow(new LambOptimizer());
    expect([...sparse.data]).to.deep.equal([...steppedRowDensely(new LambOptimizer()).data]);
  });

  itIsNamed('Lamb', () => new LambOptimizer(), ['beta1_power', 'beta2_power', 'w/Lamb', 'w/Lamb_1']);
  itRefusesHyperparameters(
    (o) => new LambOptimizer(o),
    {},
    { learningRate: [-1], beta1: [1], beta2: [1], epsilon: [-1], weightDecay: [-1] },
  );
});
