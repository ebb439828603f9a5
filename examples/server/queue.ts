// Examples that have come in and are still to be trained on: a ring in shared memory, which the event loop fills and the
// workers read. A position counts examples since the process began; where it lies in the ring is its remainder.
import { inputSize } from './model';

/** One example, as it comes in. */
export interface Example {
  /** `inputSize` numbers from 0 to 1. */
  readonly x: ArrayLike<number>;
  /** Its class. */
  readonly y: number;
}

/** Examples one after the other. */
export interface Examples {
  readonly pixels: Float32Array;
  readonly labels: Int32Array;
}

/** What the event loop and the workers both look at. */
export interface QueueMemory extends Examples {
  /** Positions: see `At`. */
  readonly at: BigInt64Array;
  /** Counts what a worker that waits should wake for: `Atomics.wait` sleeps until it is another number. */
  readonly bell: Int32Array;
}

export const enum At {
  /** Where the next example goes. Only the event loop changes it. */
  End,
  /** The first that may still be needed. Only workers change it, after the step that the ones before were for. */
  Start,
  Count,
}

export function shared(bytes: number): SharedArrayBuffer {
  return new SharedArrayBuffer(bytes);
}

/** The end of the queue that the event loop has. */
export class ExampleQueue {
  readonly memory: QueueMemory;

  constructor(readonly capacity: number) {
    this.memory = {
      pixels: new Float32Array(shared(4 * inputSize * capacity)),
      labels: new Int32Array(shared(4 * capacity)),
      at: new BigInt64Array(shared(8 * At.Count)),
      bell: new Int32Array(shared(4)),
    };
  }

  get start(): number {
    return Number(Atomics.load(this.memory.at, At.Start));
  }

  get end(): number {
    return Number(Atomics.load(this.memory.at, At.End));
  }

  /** How many wait. */
  get length(): number {
    return this.end - this.start;
  }

  /** How many more it takes. */
  get room(): number {
    return this.capacity - this.length;
  }

  /** Takes all of these or, where there is no room for all, none. @returns whether it has. */
  push(examples: readonly Example[]): boolean {
    if (examples.length > this.room) return false;
    const { pixels, labels, at } = this.memory;
    const { end } = this;
    examples.forEach(({ x, y }, i) => {
      const place = (end + i) % this.capacity;
      pixels.set(x, place * inputSize);
      labels[place] = y;
    });
    Atomics.add(at, At.End, BigInt(examples.length)); // from here on workers see them
    this.ring();
    return true;
  }

  /** Takes what a checkpoint has. @returns whether there was room. */
  pushAll({ pixels, labels }: Examples): boolean {
    return this.push(Array.from(labels, (y, i) => ({ x: row(pixels, i), y })));
  }

  /** A copy of those from a position on, which may be trained on already but not overwritten. */
  since(position: number): Examples {
    const { end, capacity } = this;
    const count = end - position;
    const copy = { pixels: new Float32Array(count * inputSize), labels: new Int32Array(count) };
    for (let i = 0; i < count; i++) {
      const place = (position + i) % capacity;
      copy.pixels.set(row(this.memory.pixels, place), i * inputSize);
      copy.labels[i] = this.memory.labels[place]!;
    }
    return copy;
  }

  /** Wakes workers that wait, to look again. */
  ring(): void {
    Atomics.add(this.memory.bell, 0, 1);
    Atomics.notify(this.memory.bell, 0);
  }
}

/** The pixels of one example, where they lie. */
export const row = (pixels: Float32Array, i: number): Float32Array =>
  pixels.subarray(i * inputSize, (i + 1) * inputSize);
