import { expect } from 'chai';
import { results } from '../support/sharding-ranks';

describe('an optimizer with shardState', function () {
  this.timeout(60_000);

  for (const ranks of [1, 2, 3, 4]) {
    it(`keeps 8/n bytes of Adam's slots a parameter, and a block at most more (${ranks})`, async () => {
      const sizes = [300_000, 7, 70_001, 12, 123_456];
      const all = sizes.reduce((sum, size) => sum + size, 0);
      const memory = await results<{ bytes: number; ranges: [number, number][] }>('memory', ranks, { sizes });
      expect(memory.reduce((sum, { bytes }) => sum + bytes, 0)).to.equal(8 * all);
      for (const { bytes, ranges } of memory) {
        expect(bytes).to.equal(8 * ranges.reduce((sum, [begin, end]) => sum + end - begin, 0));
        expect(bytes).to.be.at.most((8 * all) / ranks + 8 * 2 ** 14);
      }
    });
  }

  it('has nothing on ranks that there are no blocks for', async () => {
    const memory = await results<{ bytes: number }>('memory', 4, { sizes: [5, 3] });
    expect(memory.map(({ bytes }) => bytes).sort()).to.deep.equal([0, 0, 24, 40]);
  });

  it('makes no step at all where one rank cannot make it', async () => {
    const [first, second, third] = await results<Record<string, unknown>>('refused', 3, undefined);
    for (const rank of [first, third]) {
      expect(rank!['error']).to.equal('Error: the step was not made, as rank 1 could not: see what was thrown there');
    }
    expect(second!['error']).to.match(/^RangeError: learningRate/);
    expect(first!['other']).to.match(/^RangeError: gradient of 'w' has 5 elements/);
    expect(second!['other']).to.match(/rank 0 could not/);
    for (const rank of [first, second, third]) expect(rank).to.include({ isSame: true, steps: 2 });
  });

  it('says what it is not for, and is the same inside of what can be around it', async () => {
    for (const shown of await results<Record<string, unknown>>('surroundings', 2, undefined)) {
      expect(shown['inside']).to.match(/^TypeError: shardState takes one of the package's optimizers as it is/);
      expect(shown['later']).to.match(/^Error: an optimizer with shardState has no asynchronous steps/);
      expect(shown['torch']).to.match(/^TypeError: optimizer has shardState, so that no rank has all of its state/);
      expect(shown['broadcast']).to.match(/no rank has all slots to give/);
      expect(shown['isSame']).to.equal(true);
      expect(shown['isMean'], 'the loss that a loss scale tells').to.equal(true);
    }
  });

  it('lists what of a slot is here under a key that tells which elements', async () => {
    const [first, second] = await results<{ keys: string[]; shown: string[] }>('surroundings', 2, undefined);
    expect(first!.keys).to.deep.equal(['beta1_power', 'beta2_power', 'w/Adam', 'w/Adam_1']);
    expect(second!.keys).to.deep.equal(['beta1_power', 'beta2_power', 'w/Adam[3:3]', 'w/Adam_1[3:3]']);
    expect(first!.shown).to.include.members(['current_loss_scale', 'w/Adam']);
  });

  it('passes whole variables through their constraints, and puts all back where one throws', async () => {
    for (const shown of await results('constrained', 3, undefined)) {
      expect(shown).to.deep.equal({ isSame: true, error: 'Error: mine', isPutBack: true });
    }
  });

  it('sums in the order of ranks unless it is told that any will do', async () => {
    for (const deterministic of [undefined, true, false]) {
      for (const { told } of await results<{ told: unknown[] }>('sums', 2, { deterministic })) {
        expect(told).to.deep.equal([deterministic === undefined ? {} : { deterministic }]);
      }
    }
  });

  it('knows variables by their names', async () => {
    for (const shown of await results('decay', 2, undefined)) expect(shown).to.deep.equal({ isSame: true });
  });
});
