import { expect } from 'chai';
import fc from 'fast-check';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { restoreCheckpoint, saveCheckpoint } from 'gradstep/checkpoint';
import { begin, stateOf, stepAlone, trainAlone, type Scenario, type Trained } from '../support/sharding';
import { expectParts } from '../support/sharding-expect';
import type { RankState, Saved } from '../support/sharding-programs';
import { results } from '../support/sharding-ranks';
import { order, scenario } from '../support/sharding-scenarios';

const steps = 3;
const scenarios = (count: number, seed: number): Scenario[] => {
  return fc.sample(scenario, { numRuns: count, seed }).map((one) => ({ ...one, steps }));
};
const partsOf = ({ variables, optimizer, globalStep }: Trained) => ({ variables, optimizer, globalStep });

describe('a checkpoint of an optimizer whose slots are divided by ranks', function () {
  this.timeout(120_000);
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'gradstep-sharded-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const ordersOf = (list: readonly Scenario[], at: number): Saved[] => {
    const ways = fc.sample(order, { numRuns: list.length, seed: 3 });
    return list.map((one, i) => ({ ...ways[i]!, scenario: one, folder: join(folder, `run-${i}`), at }));
  };

  for (const [before, after] of [
    [1, 3],
    [2, 1],
    [2, 4],
    [3, 2],
    [4, 3],
  ] as const) {
    it(`goes on on another number of ranks, to the last bit (${before}, then ${after})`, async () => {
      const list = scenarios(12, 10 * before + after);
      const orders = ordersOf(list, 2);
      await results('save', before, orders);
      const states = await results<RankState[]>('goOn', after, orders);
      list.forEach((one, i) => {
        const whole = begin(one);
        for (let step = 0; step < steps; step++) stepAlone(one, whole, step, step < 2 ? before : after);
        expectParts(
          stateOf(whole),
          states.map((state) => state[i]!),
        );
      });
    });
  }

  it('has the bytes that one process saves', async () => {
    const list = scenarios(10, 4);
    const orders = ordersOf(list, 2);
    const saved = await results<{ path: string; step: number; bytes: number }[]>('save', 3, orders);
    for (const [i, one] of list.entries()) {
      const whole = trainAlone({ ...one, steps: 2 }, 3);
      const alone = await saveCheckpoint(join(folder, `alone-${i}`), { ...partsOf(whole), metadata: { at: 2 } });
      for (const rank of saved) expect(rank[i]).to.deep.equal(saved[0]![i]);
      for (const name of ['model.safetensors', 'optimizer.safetensors']) {
        expect(
          readFileSync(join(saved[0]![i]!.path, name)).equals(readFileSync(join(alone.path, name))),
          name,
        ).to.equal(true);
      }
    }
  });

  it('is restored by one process, and one of one process by ranks', async () => {
    const list = scenarios(10, 5);
    const orders = ordersOf(list, 2);
    await results('save', 2, orders);
    for (const [i, one] of list.entries()) {
      const whole = trainAlone({ ...one, steps: 2 }, 2);
      const restored = begin(one);
      await restoreCheckpoint(orders[i]!.folder, partsOf(restored));
      expect(stateOf(restored)).to.deep.equal(stateOf(whole));
      rmSync(orders[i]!.folder, { recursive: true });
      await saveCheckpoint(orders[i]!.folder, partsOf(whole));
    }
    const states = await results<RankState[]>('goOn', 3, orders);
    list.forEach((one, i) => {
      const whole = trainAlone({ ...one, steps: 2 }, 2);
      stepAlone(one, whole, 2, 3);
      expectParts(
        stateOf(whole),
        states.map((state) => state[i]!),
      );
    });
  });
});
