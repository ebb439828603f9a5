import { expect } from 'chai';
import { AdamOptimizer, variable } from 'gradstep';
import { itIsNamed, itRefusesHyperparameters } from '../support/refusals';
import { expectNear, stepped, steppedRow, steppedRowDensely } from '../support/steps';

const bad = { learningRate: [-1], beta1: [-0.1, 1], beta2: [-0.1, 1], epsilon: [-1e-8] };
const names = ['beta1_power', 'beta2_power'];

describe('AdamOptimizer', () => {
  it('takes the first step at full learning rate whatever the gradient scale', () => {
    const w = stepped(new AdamOptimizer({ learningRate: 0.1, epsilon: 0 }), [0, 0, 0], [[1e-10, -3, 1e10]]);
    expectNear(w.data, [-0.1, 0.1, -0.1]);
  });

  it('adds epsilon outside the bias correction', () => {
    const w = stepped(new AdamOptimizer({ learningRate: 1, beta1: 0, beta2: 0.75, epsilon: 1 }), [0], [[2]]);
    expectNear(w.data, [-(0.5 * 2) / (1 + 1)]);
  });

  it('moves rows without a gradient by what they remember', () => {
    const [sparse, dense] = [new AdamOptimizer(), new AdamOptimizer()];
    expect([...steppedRow(sparse).data]).to.deep.equal([...steppedRowDensely(dense).data]);
  });

  it('advances the powers of the betas once a step, whatever variables take part', () => {
    const optimizer = new AdamOptimizer({ beta1: 0.5, beta2: 0.25 });
    const [a, b] = [variable([1]), variable([1])];
    const g = new Float32Array([1]);
    optimizer.applyGradients([
      [g, a],
      [g, b],
    ]);
    optimizer.applyGradients([[g, b]]);
    const powers = optimizer.variables().filter(({ name }) => names.includes(name));
    expect(powers.map((power) => power.item())).to.deep.equal([0.125, 0.015625]);
  });

  it('goes on where another left off when its state is copied', () => {
    const [first, second] = [new AdamOptimizer(), new AdamOptimizer()];
    const a = stepped(first, [1, 2], [[0.1, 0.2]]);
    const b = variable(a.data);
    second.createSlots([b]);
    first.variables().forEach((from, i) => second.variables()[i]!.assign(from.data));
    const g = Float64Array.of(0.3, -0.1);
    first.applyGradients([[g, a]]);
    second.applyGradients([[g, b]]);
    expect([...b.data]).to.deep.equal([...a.data]);
  });

  itIsNamed('Adam', () => new AdamOptimizer(), [...names, 'w/Adam', 'w/Adam_1']);
  itRefusesHyperparameters((o) => new AdamOptimizer(o), {}, bad);
});
