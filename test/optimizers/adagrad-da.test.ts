import { expect } from 'chai';
import { AdagradDAOptimizer, createGlobalStep } from 'gradstep';
import { itIsNamed, itRefusesHyperparameters } from '../support/refusals';
import { expectNear, stepped, steppedRow } from '../support/steps';

const make = (options: object) =>
  new AdagradDAOptimizer({ learningRate: 1, globalStep: createGlobalStep(), ...options });

describe('AdagradDAOptimizer', () => {
  it('forgets where it started', () => {
    const [a, b] = [stepped(make({}), [0], [[0.3]]), stepped(make({}), [1000], [[0.3]])];
    expectNear(a.data, [-0.3 / Math.sqrt(0.19)]);
    expect([...b.data]).to.deep.equal([...a.data]);
  });

  it('weighs the regularization by the global step plus one, and does not advance it', () => {
    const globalStep = createGlobalStep();
    globalStep.value = 4;
    const optimizer = make({ globalStep, l1RegularizationStrength: 0.1, l2RegularizationStrength: 0.2 });
    expectNear(stepped(optimizer, [0], [[0.8]]).data, [-(0.8 - 5 * 0.1) / (0.2 * 5 + Math.sqrt(0.1 + 0.64))]);
    expect(globalStep.value).to.equal(4);
  });

  it('zeroes what stays within l1', () => {
    expect(stepped(make({ l1RegularizationStrength: 1 }), [5], [[0.9]]).data[0]).to.be.closeTo(0, 0);
  });

  it('moves only the rows of a sparse gradient', () => {
    const optimizer = make({});
    const w = steppedRow(optimizer);
    expectNear(optimizer.getSlot(w, 'gradient_accumulator')!.data, [0.25, 0.75, 0.25]);
    expectNear(w.data, [-0.25 / Math.sqrt(0.1625), -0.75 / Math.sqrt(0.4125), -0.25 / Math.sqrt(0.1625)]);
  });

  it('needs a GlobalStep', () => {
    for (const globalStep of [undefined, 0, {}]) {
      expect(() => make({ globalStep })).to.throw(TypeError, 'globalStep must be a GlobalStep');
    }
  });

  itIsNamed('AdagradDA', () => make({}), ['w/AdagradDA', 'w/AdagradDA_1']);
  itRefusesHyperparameters(
    (o) => new AdagradDAOptimizer(o),
    { learningRate: 1, globalStep: createGlobalStep() },
    {
      learningRate: [-1],
      initialGradientSquaredAccumulatorValue: [0, -1],
      l1RegularizationStrength: [],
      l2RegularizationStrength: [],
    },
  );
});
