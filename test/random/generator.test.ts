import { expect } from 'chai';
import * as fc from 'fast-check';
import { copyState, keep, ops, random, RandomGenerator, tidy, type Tensor } from 'gradstep';
import { runScript } from '../support/child';

const seeded = (seed = 1): RandomGenerator => new RandomGenerator(seed);
const values = (tensor: Tensor): number[] => Array.from(tensor.data);

describe('a RandomGenerator', () => {
  it('gives the same numbers for the same seed, others for another', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.maxSafeNat(), (a, b) => {
        fc.pre(a !== b && a < Number.MAX_SAFE_INTEGER && b < Number.MAX_SAFE_INTEGER);
        const first = values(seeded(a).normal([8]));
        expect(values(seeded(a).normal([8]))).to.deep.equal(first);
        expect(values(seeded(b).normal([8]))).not.to.deep.equal(first);
      }),
    );
  });

  it('never gives the same numbers twice', () => {
    const generator = seeded();
    const draws = Array.from({ length: 100 }, (_, i) => values(generator.uniform([1 + (i % 7)])).join());
    expect(new Set(draws).size).to.equal(100);
  });

  it('starts anew with seed()', () => {
    const generator = seeded(3);
    const first = [values(generator.uniform([9])), values(generator.uniform([9], { seed: 5 }))];
    generator.uniform([100]);
    generator.seed(3);
    expect([values(generator.uniform([9])), values(generator.uniform([9], { seed: 5 }))]).to.deep.equal(first);
  });

  it('goes its own way without a seed', () => {
    const [one, other] = [new RandomGenerator(), new RandomGenerator()];
    expect(values(one.uniform([8]))).not.to.deep.equal(values(other.uniform([8])));
  });

  it('has a sequence for each seed of draws, whatever is drawn between them', () => {
    const [one, other] = [seeded(), seeded()];
    const draws = (generator: RandomGenerator, disturb: () => unknown): number[][] =>
      [0, 1, 2].map(() => {
        disturb();
        return values(generator.uniform([6], { seed: 7 }));
      });
    const plain = draws(one, () => null);
    const disturbed = draws(other, () => [other.normal([3]), other.uniform([50], { seed: 8 })]);
    expect(disturbed).to.deep.equal(plain);
    expect(new Set(plain.map((draw) => draw.join())).size).to.equal(3);
    expect(values(seeded().uniform([6], { seed: 8 }))).not.to.deep.equal(plain[0]);
    expect(values(seeded(2).uniform([6], { seed: 7 }))).not.to.deep.equal(plain[0]);
    expect(values(seeded().uniform([6]))).not.to.deep.equal(values(seeded().uniform([6], { seed: 0 })));
  });

  it('that nobody has seeded gives the same numbers in each process where draws have a seed', () => {
    const script = "console.log(require('gradstep').random.uniform([3], { seed: 1 }).toArray().join())";
    const expected = values(new RandomGenerator().uniform([3], { seed: 1 })).join();
    for (const { stdout, stderr } of [runScript(script), runScript(script)]) {
      expect(stdout.trim(), stderr).to.equal(expected);
    }
    expect(values(new RandomGenerator(87654321).uniform([3], { seed: 1 })).join()).to.equal(expected);
  });

  it('refuses seeds that are none', () => {
    expect(() => new RandomGenerator(-1)).to.throw(
      RangeError,
      'seed must be a whole number from 0 to 9007199254740990',
    );
    expect(() => seeded().seed(0.5)).to.throw(RangeError, 'seed must be a whole number');
    expect(() => seeded().seed('1' as never)).to.throw(TypeError, 'seed must be a number, got "1"');
    expect(() => seeded().seed(undefined as never)).to.throw(TypeError, 'seed must be a number, got undefined');
    expect(values(new RandomGenerator(2 ** 53 - 2).uniform([2], { seed: 2 ** 53 - 2 }))).to.have.length(2);
  });

  it('says when all of its numbers have been used', () => {
    const generator = seeded();
    const entries = copyState(generator.state());
    entries.find(({ key }) => key === 'random/counter')!.memory[0] = 2n ** 53n - 2n;
    generator.restore(entries);
    expect(values(generator.uniform([4]))).to.have.length(4);
    expect(() => generator.uniform([1])).to.throw(Error, 'all random numbers of this seed have been used');
    expect(values(generator.uniform([1], { seed: 1 }))).to.have.length(1);
  });

  it('refuses a state that is none, and stays as it was', () => {
    const generator = seeded();
    generator.uniform([3], { seed: 5 });
    const before = copyState(generator.state());
    const spoilt = (key: string, memory: BigInt64Array) =>
      copyState(before).map((entry) => (entry.key === key ? { ...entry, memory, shape: [memory.length] } : entry));
    expect(() => generator.restore(spoilt('random/keys', BigInt64Array.of(1n)))).to.throw(RangeError, 'has shape [1]');
    expect(() => generator.restore(spoilt('random/keys', BigInt64Array.of(1n, -1n)))).to.throw(RangeError, 'holds -1');
    expect(() => generator.restore(spoilt('random/op_counters', BigInt64Array.of(1n, 2n)))).to.throw(RangeError);
    const twice = spoilt('random/op_seeds', BigInt64Array.of(5n, 5n)).map((entry) =>
      entry.key === 'random/op_counters' ? { ...entry, shape: [2], memory: BigInt64Array.of(1n, 2n) } : entry,
    );
    expect(() => generator.restore(twice)).to.throw(RangeError, 'holds a seed twice');
    expect(generator.state()).to.deep.equal(before);
  });

  it('gives tensors that go with the scope they are made in', () => {
    const kept: Tensor[] = [];
    const sum = tidy(() => {
      const [one, two] = [random.uniform([3]), keep(random.normal([3]))];
      kept.push(one, two);
      return ops.add(one, two);
    });
    expect(kept.map(({ isDisposed }) => isDisposed)).to.deep.equal([true, false]);
    expect(sum.shape).to.deep.equal([3]);
  });
});
