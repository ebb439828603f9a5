import { expect } from 'chai';
import fc from 'fast-check';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AdamOptimizer, variable } from 'gradstep';
import { restoreCheckpoint, saveCheckpoint } from 'gradstep/checkpoint';
import { begin, stateOf, stepAlone, trainAlone, type Scenario, type Trained } from '../support/sharding';
import { expectParts } from '../support/sharding-expect';
import type { RankState, Saved } from '../support/sharding-programs';
import { outcomes, results } from '../support/sharding-ranks';
import { order, scenario } from '../support/sharding-scenarios';

const steps = 3;
const scenarios = (count: number, seed: number): Scenario[] => {
  return fc.sample(scenario, { numRuns: count, seed }).map((one) => ({ ...one, steps }));
};
const partsOf = ({ variables, optimizer, globalStep }: Trained) => ({ variables, optimizer, globalStep });

interface Manifest {
  readonly files: Record<string, { bytes: number; sha256: string; pieces: { bytes: number; sha256: string[] } }>;
}

const sumOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Changes the last byte of a file. */
function flip(path: string): void {
  const bytes = readFileSync(path);
  bytes[bytes.length - 1]! ^= 1;
  writeFileSync(path, bytes);
}

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

  it('is read in pieces, of which each rank reads those that have something of its parts', async () => {
    const [saved] = await results<{ path: string; bytes: number }>('large', 2, { folder, fill: 1 });
    const { files } = JSON.parse(readFileSync(join(saved!.path, 'state.json'), 'utf8')) as Manifest;
    const record = files['optimizer.safetensors']!;
    const bytes = readFileSync(join(saved!.path, 'optimizer.safetensors'));
    const sums = [];
    for (let at = 0; at < bytes.length; at += record.pieces.bytes) {
      sums.push(sumOf(bytes.subarray(at, at + record.pieces.bytes)));
    }
    expect(record).to.deep.equal({
      bytes: bytes.length,
      sha256: sumOf(bytes),
      pieces: { bytes: 2 ** 24, sha256: sums },
    });
    expect(sums.length).to.equal(3);
    const restored = await results<{ isRight: boolean; sizes: number[] }>('large', 3, { folder });
    expect(restored.map(({ isRight }) => isRight)).to.deep.equal([true, true, true]);
    expect(restored.map(({ sizes }) => sizes[0]! + sizes[2]!).reduce((a, b) => a + b)).to.equal(5_000_003);
  });

  it('is not saved, and nothing of it is left, where rank 0 cannot or ranks differ; then it is', async () => {
    writeFileSync(join(folder, 'file'), '');
    const shown = await results<Record<string, string>>('failing', 3, { folder });
    for (const [rank, { copied, failed, differs, path }] of shown.entries()) {
      expect(copied).to.match(/^RangeError: copy cannot be true with a sharded optimizer/);
      expect(failed).to.match(
        rank === 0 ? /^CheckpointError: .* could not be saved/ : /^CheckpointError: rank 0 could not save/,
      );
      expect(differs).to.equal('RangeError: rank 1 saves step 1, rank 0 step 0');
      expect(path).to.equal(join(folder, 'step-00000001'));
    }
    expect(readdirSync(folder).sort()).to.deep.equal(['file', 'step-00000001']);
  });

  it('is not there where a rank ends while all save', async () => {
    const shown = await outcomes<{ error: string }>('ending', 3, { folder });
    expect(shown[0]!.result!.error).to.match(/could not be saved: .*the thread of rank 2 has ended/);
    expect(shown[1]!.result!.error).to.match(/^CommunicatorAborted: .*the thread of rank 2 has ended/);
    expect(shown[2]).to.deep.equal({ error: 'ended' });
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it('is damaged for all where one rank finds it so, and the one before is taken', async () => {
    const w = variable(new Float32Array(5_000_000), { name: 'w' });
    const optimizer = new AdamOptimizer();
    optimizer.createSlots([w]);
    await saveCheckpoint(folder, { variables: [w], optimizer }, { step: 1 });
    await results('second', 2, { folder });
    flip(join(folder, 'step-00000002', 'optimizer.safetensors')); // what the last rank has
    const [first, second] = await results<{ asked: string; step: number; damaged: string[] }>('damaged', 2, { folder });
    expect(first!.asked).to.match(/^CheckpointError: .*step-00000002 is damaged, as rank 1 has found$/);
    expect(second!.asked).to.match(
      /^CheckpointError: .*step-00000002 is damaged: bytes .* are not what their checksum says$/,
    );
    for (const { step, damaged } of [first!, second!]) expect([step, damaged.length]).to.deep.equal([1, 1]);
  });
});
