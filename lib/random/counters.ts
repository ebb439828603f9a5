import { countsEntry, type StateEntry, type StateSource } from '../tensor/state';
import { checkSeed, largestSeed, streamOf, type Draw } from './draw';

// As TensorFlow's: draws with a seed of their own are reproducible where nobody has called seed(), too.
const defaultKey = 87654321;

const anyKey = (): number => Math.floor(Math.random() * 2 ** 53);

/** Gives out counters, each of them once, and knows how far it is. */
export class Counters {
  /** For draws without a seed, and for those with one. */
  private keys: [own: number, seeded: number] = [anyKey(), defaultKey];
  private counter = 0;
  /** How far the draws with a seed are, by their seeds. */
  private seeded = new Map<number, number>();

  seed(seed: number): void {
    checkSeed('seed', seed);
    this.keys = [seed, seed];
    this.counter = 0;
    this.seeded = new Map();
  }

  take(blocks: number, seed: number | undefined): Draw {
    const counter = seed === undefined ? this.counter : (this.seeded.get(seed) ?? 0);
    const next = counter + blocks;
    if (!Number.isSafeInteger(next))
      throw new Error('all random numbers of this seed have been used: set another seed');
    if (seed === undefined) this.counter = next;
    else this.seeded.set(seed, next);
    const [own, seeded] = this.keys;
    return { key: seed === undefined ? own : seeded, stream: streamOf(seed), counter, blocks };
  }

  /** Takes back a draw, unless something has been drawn since, or seeded. */
  putBack({ key, counter, blocks }: Draw, seed: number | undefined): void {
    const [own, seeded] = this.keys;
    const at = seed === undefined ? this.counter : this.seeded.get(seed);
    if (key !== (seed === undefined ? own : seeded) || at !== counter + blocks) return;
    if (seed === undefined) this.counter = counter;
    else if (counter === 0) this.seeded.delete(seed);
    else this.seeded.set(seed, counter);
  }

  state(): StateEntry[] {
    const seeds = [...this.seeded.keys()].sort((a, b) => a - b);
    return [
      countsEntry('random/counter', this.counter),
      countsEntry('random/keys', this.keys),
      countsEntry(
        'random/op_counters',
        seeds.map((seed) => this.seeded.get(seed)!),
      ),
      countsEntry('random/op_seeds', seeds),
    ];
  }

  planRestore(source: StateSource): () => void {
    const counter = source.takeCount('random/counter');
    const [own, seeded] = source.takeCounts('random/keys', [2]) as [number, number];
    const seeds = source.takeCounts('random/op_seeds');
    const counters = source.takeCounts('random/op_counters', [seeds.length]);
    if (new Set(seeds).size !== seeds.length) source.refuse('random/op_seeds', 'holds a seed twice');
    if (seeds.some((seed) => seed > largestSeed)) source.refuse('random/op_seeds', `holds more than ${largestSeed}`);
    return () => {
      this.counter = counter;
      this.keys = [own, seeded];
      this.seeded = new Map(seeds.map((seed, i) => [seed, counters[i]!]));
    };
  }
}
