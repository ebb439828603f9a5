import { AdadeltaOptimizer } from 'gradstep';
import { itIsNamed, itRefusesHyperparameters } from '../support/refusals';
import { expectNear, stepped, steppedRow } from '../support/steps';

describe('AdadeltaOptimizer', () => {
  it('scales the step that is taken by the rate, and not the one that is remembered', () => {
    const u = (Math.sqrt(1e-6) / Math.sqrt(0.05 * 4 + 1e-6)) * 2;
    for (const learningRate of [1, 0.25]) {
      const optimizer = new AdadeltaOptimizer({ learningRate, epsilon: 1e-6 });
      const w = stepped(optimizer, [0], [[2]]);
      expectNear(w.data, [-learningRate * u]);
      expectNear(optimizer.getSlot(w, 'accum_update')!.data, [0.05 * u * u]);
    }
  });

  it('moves only the rows of a sparse gradient', () => {
    const optimizer = new AdadeltaOptimizer({ rho: 0.5 });
    const w = steppedRow(optimizer);
    expectNear(optimizer.getSlot(w, 'accum')!.data, [0.03125, 0.015625 + 0.125, 0.03125]);
  });

  itIsNamed('Adadelta', () => new AdadeltaOptimizer(), ['w/Adadelta', 'w/Adadelta_1']);
  itRefusesHyperparameters(
    (o) => new AdadeltaOptimizer(o),
    {},
    { learningRate: [-1], rho: [-0.1, 1.1], epsilon: [-1] },
  );
});
