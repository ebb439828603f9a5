import { expect } from 'chai';
import { AdamOptimizer, variable } from 'gradstep';
import { broadcastState, checkSameState, SharedMemoryCommunicator } from 'gradstep/parallel';
import { Team } from '../support/together';

interface States {
  readonly before: object;
  readonly after: object;
}

describe('the state of several ranks', function () {
  this.timeout(60_000);
  const teams = new Map<number, Team>();
  const sizes = [1, 2, 3, 4];
  before(() => sizes.forEach((size) => teams.set(size, new Team(size))));
  after(() => Promise.all([...teams.values()].map((team) => team.end())));

  for (const size of sizes) {
    for (const [what, steps] of [
      ['nobody else has yet', (rank: number, root: number) => (rank === root ? 3 : 0)],
      ['others have too', () => 2],
    ] as const) {
      it(`becomes one rank's, slots and all, which ${what} (${size})`, async () => {
        for (const root of new Set([0, size - 1])) {
          const order = { root, steps: Array.from({ length: size }, (_, rank) => steps(rank, root)) };
          const states = await teams.get(size)!.results<States>('broadcast', order);
          for (const { after } of states) expect(after).to.deep.equal(states[root]!.before);
        }
      });
    }
  }

  it('stays as it is on all ranks when one cannot take it over', async () => {
    const own = 'RangeError: "w" in the state has shape [2], expected [2, 1]';
    const told = `Error: rank 1 cannot take over the state: ${own}`;
    const expected = [told, own, told].map((text) => [text, true]);
    expect(await teams.get(3)!.results('misplaced', { rank: 1 })).to.deep.equal(expected);
  });

  it('is the same where it is', async () => {
    const outcomes = await teams.get(4)!.results('compare', { different: {} });
    expect(outcomes).to.deep.equal(['the same', 'the same', 'the same', 'the same']);
  });

  for (const [different, expected] of [
    [{ 2: 'value' }, "rank 2 has another state than rank 0: on rank 2 'w' has other values;"],
    [{ 0: 'value' }, "rank 0 has another state than rank 1: on rank 0 'w' has other values;"],
    [{ 1: 'step', 3: 'step' }, "ranks 1, 3 have another state than rank 0: on rank 1 'global_step' has other values;"],
    [{ 3: 'shape' }, "rank 3 has another state than rank 0: on rank 3 'w' is float32 [1, 3], not float32 [3];"],
  ] as const) {
    it(`tells all ranks who differs, and in what (${JSON.stringify(different)})`, async () => {
      const errors = await teams.get(4)!.errors('compare', { different });
      expect(new Set(errors).size).to.equal(1);
      expect(errors[0])
        .to.match(/^Error: /)
        .and.to.contain(expected);
      expect(errors[0]).to.match(/broadcastState gives all ranks the state of one$/);
    });
  }

  it('lacks what other ranks have', async () => {
    const [error] = await teams.get(3)!.errors('compare', { different: { 1: 'slots' } });
    expect(error).to.match(
      /^Error: rank 1 has another state than rank 0: on rank 1 .*'v\/Adam' is missing.* and \d+ more; /,
    );
  });

  it('is compared when a training begins, and as often as is asked for', async () => {
    const [first] = await teams.get(2)!.errors('beginning', {});
    expect(first).to.contain("rank 1 has another state than rank 0: on rank 1 'w' has other values");
    expect(await teams.get(2)!.results('beginning', { check: false })).to.deep.equal(['made', 'made']);
    expect(await teams.get(2)!.results('drifting', {})).to.deep.equal([8, 8]);
    expect(await teams.get(2)!.results('drifting', { check: 1 })).to.deep.equal([3, 3]);
    expect(await teams.get(2)!.results('drifting', { check: 4 })).to.deep.equal([4, 4]);
    expect(await teams.get(2)!.results('drifting', { check: 5 })).to.deep.equal([5, 5]);
  });

  it('is asked for in parts', () => {
    const alone = SharedMemoryCommunicator.join(SharedMemoryCommunicator.create(1), 0);
    const w = variable([1], { name: 'w' });
    for (const call of [broadcastState, checkSameState]) {
      expect(() => call([w] as never, alone)).to.throw(TypeError, 'parts must be an object');
      expect(() => call({}, alone)).to.throw(RangeError, 'parts must have at least one');
      expect(() => call({ variables: [w] }, {} as never)).to.throw(TypeError, 'communicator must be a Communicator');
      call({ variables: [w], optimizer: new AdamOptimizer() }, alone);
    }
    expect(() => broadcastState({ variables: [w] }, alone, { root: 1 })).to.throw(RangeError, 'root must be');
    expect(() => broadcastState({ variables: [w] }, alone, { rank: 1 } as never)).to.throw(TypeError, 'options');
  });
});
