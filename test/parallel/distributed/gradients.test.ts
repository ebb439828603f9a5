import { expect } from 'chai';
import {
  AdamOptimizer,
  GradientAccumulator,
  GradientDescentOptimizer,
  IndexedSlices,
  ops,
  tensor,
  variable,
} from 'gradstep';
import { batchLoss } from '../support/distributed';
import { hex, noise } from '../support/takeover';
import { Team } from '../support/together';

/** What `gathering` does, in one process. */
function gatheredAlone(size: number, batches: number) {
  const w = variable([1, 2, 3], { name: 'w' });
  const table = variable([[1, 2], [3, 4], [5, 6]], { name: 'table' }); // prettier-ignore
  const optimizer = new AdamOptimizer({ learningRate: 0.1 });
  // What adds nothing: no rows, and zeros that leave zeros of either sign as they are.
  const nothing = [
    [new IndexedSlices(tensor([], [0, 2]), [], [3, 2]), table],
    [new Float32Array(3).fill(-0), w],
  ] as const;
  const losses: number[] = [];
  for (let step = 0; step < 4; step++) {
    const means = new GradientAccumulator();
    let loss = 0;
    for (let rank = 0; rank < size; rank++) {
      const own = new GradientAccumulator();
      for (let batch = 0; batch < batches; batch++) {
        own.add(optimizer.computeGradients(() => batchLoss(w, table, step, rank, batch)));
      }
      const mean = own.take();
      const hasNone = step === 2 && rank === 0;
      loss += hasNone ? NaN : mean.loss.item();
      means.add(hasNone ? nothing : mean);
    }
    losses.push(loss * (1 / size));
    optimizer.applyGradients(means.take());
  }
  return { w: hex(w.data), table: hex(table.data), losses };
}

describe('gradients of several ranks', function () {
  this.timeout(60_000);
  const teams = new Map<number, Team>();
  const sizes = [1, 2, 3, 4];
  before(() => sizes.forEach((size) => teams.set(size, new Team(size))));
  after(() => Promise.all([...teams.values()].map((team) => team.end())));

  for (const size of sizes.slice(1)) {
    for (const batches of [1, 3]) {
      it(`are means of those that each has gathered of ${batches} batches (${size})`, async () => {
        const expected = gatheredAlone(size, batches);
        for (const rank of await teams.get(size)!.results<typeof expected>('gathering', { batches })) {
          expect(rank).to.deep.equal(expected);
        }
      });
    }

    it(`are those of each step, when steps are made off the event loop (${size})`, async () => {
      const w = variable(noise(1, 5000));
      const optimizer = new AdamOptimizer({ learningRate: 0.1 });
      for (let step = 0; step < 6; step++) {
        const accumulator = new GradientAccumulator();
        for (let rank = 0; rank < size; rank++) accumulator.add([[noise(10 * step + rank, 5000), w]]);
        optimizer.applyGradients(accumulator.take());
      }
      const expected = hex(w.data);
      for (const waits of [true, false]) {
        expect(await teams.get(size)!.results('asynchronous', { waits })).to.deep.equal(
          Array.from({ length: size }, () => expected),
        );
      }
    });

    it(`can be of several lists of variables in turn (${size})`, async () => {
      const [a, b] = [variable(noise(1, 40)), variable(noise(2, 30))];
      const optimizer = new AdamOptimizer({ learningRate: 0.1 });
      for (let step = 0; step < 6; step++) {
        const [one, other] = step % 2 === 0 ? [a, b] : [b, a];
        const accumulator = new GradientAccumulator();
        for (let rank = 0; rank < size; rank++) {
          const loss = () => ops.mul(ops.mul(ops.l2Loss(one), ops.l2Loss(other)), 1 + rank + step);
          accumulator.add(optimizer.computeGradients(loss, { varList: [one] }));
        }
        optimizer.applyGradients(accumulator.take());
      }
      for (const rank of await teams.get(size)!.results('turns')) expect(rank).to.equal(hex(a.data) + hex(b.data));
    });

    it(`are right when a rank begins anew with an optimizer of its own (${size})`, async () => {
      const w = variable(noise(1, 40));
      const optimizer = new GradientDescentOptimizer({ learningRate: 0.1 });
      for (let step = 0; step < 4; step++) {
        const accumulator = new GradientAccumulator();
        for (let rank = 0; rank < size; rank++) {
          accumulator.add(optimizer.computeGradients(() => ops.mul(ops.l2Loss(w), 1 + rank)));
        }
        optimizer.applyGradients(accumulator.take());
      }
      for (const rank of await teams.get(size)!.results('anew')) expect(rank).to.equal(hex(w.data));
    });
  }

  for (const size of sizes) {
    it(`stay readable until they have been applied, and as long as they are kept (${size})`, async () => {
      const gone =
        'this gradient has been applied, and the next computeGradients took its memory; keep() holds on to it';
      for (const rank of await teams.get(size)!.results('readable')) {
        expect(rank).to.deep.equal(['1,1,1', '3,3,3', '4,4,4', gone]);
      }
    });
  }
});
