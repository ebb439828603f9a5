import { decoded, encoded, numbersOf, type Definition } from './definition';
import type { MetricsMemory } from './memory';

const utf8 = new TextEncoder();

/** Numbers of this thread's in the memory of metrics. Who has them has the place that they are in. */
export interface Cells {
  readonly memory: MetricsMemory;
  /** Those of the memory, */
  readonly numbers: Float64Array;
  /** and where these start. */
  readonly at: number;
  /** What holds the place. */
  readonly hold: object;
}

/** What this thread writes of some metrics. It takes a place among them when there is something to write. */
export class OwnPlace {
  private taken: { readonly place: number; readonly hold: object } | null = null;
  /** By the text of their definitions. */
  private readonly series = new Map<string, number>();

  constructor(readonly memory: MetricsMemory) {}

  /** The numbers of a series that this thread has. */
  find(definition: Definition): Cells | undefined {
    const { memory, taken } = this;
    const at = this.series.get(encoded(definition));
    return at === undefined ? undefined : { memory, numbers: memory.numbers, at, hold: taken!.hold };
  }

  /**
   * The numbers of a series, which start as zeros, or as what a thread has left that had this place.
   * @throws Error where all places are taken, or this one is full.
   */
  add(definition: Definition): Cells {
    const { place } = (this.taken ??= this.take());
    const found = this.find(definition);
    if (found !== undefined) return found;
    const text = encoded(definition);
    const at = this.memory.add(place, utf8.encode(text), numbersOf(definition));
    if (at === undefined) {
      throw new Error(
        `${definition.name}: this thread's place is full: metrics need more bytesPerThread, or fewer labels`,
      );
    }
    this.series.set(text, at);
    return this.find(definition)!;
  }

  private take(): { readonly place: number; readonly hold: object } {
    const taken = this.memory.take();
    if (taken === undefined) {
      throw new Error(`all ${this.memory.places} places of these metrics are taken: they need more threads`);
    }
    for (const { text, at, count } of this.memory.records(taken.place)) {
      const definition = decoded(text);
      if (definition === undefined || numbersOf(definition) !== count) continue;
      this.series.set(encoded(definition), at);
      // A gauge says how things are, which nobody knows any more; what was set last is still that.
      if (definition.type === 'gauge' && definition.aggregate !== 'last') this.memory.numbers.fill(0, at, at + count);
    }
    return taken;
  }
}
