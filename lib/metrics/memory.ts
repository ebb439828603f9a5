import { types } from 'node:util';
import { shown } from '../checks';
import { native } from '../native';

// What all threads have: one SharedArrayBuffer, a head and then places of one size. A place is one thread's at a time, which
// alone writes to it, on cache lines that no other place has. In it, after a head of its own, lies a log of records: what is
// counted, as text, and its numbers. Records are only ever added, and never change but for their numbers.
//
// The numbers are float64 at multiples of 8 bytes. The language does not promise it, but every engine reads and writes such
// an element by one machine access where addresses have 64 bits, which is wherever there is a binary of ours, and such an
// access is whole on x64 and arm64: whoever reads has what was there before a write or after it. That costs nothing, where
// `Atomics` over BigInt64Array would cost more than the counting. How long the log is goes by `Atomics`: who sees a record sees
// all of it.
//
// A thread may be terminated between any two calls of functions and turns of loops, and nowhere else: what is written without
// either in between is written together.

const magic = 0x6d737267; // grsm
const version = 1;

// 32-bit words of the head.
const enum Head {
  Magic,
  Version,
  Places,
  BytesPerPlace,
}
// After them, how many tickets have been taken, in 64 bits: among all 64-bit numbers of the memory the one at this place.
const ticketsAt = 2;
// Words of the head of a place.
const enum PlaceHead {
  /** 0 when it is nobody's: see native.takePlace. */
  Owner,
  /** How many bytes the log has. */
  Used,
}

/** Two cache lines: where memory is read ahead it is read two at a time. */
export const lineBytes = 128;
const headBytes = lineBytes;
const placeHeadBytes = lineBytes;

// A record: bytes of all of it, bytes of its text, how many numbers, one that is not used; the text; from a multiple of 8 on
// the numbers.
const recordHeadBytes = 16;

export const leastBytesPerPlace = 1024;
export const mostBytesPerPlace = 2 ** 24;
export const mostPlaces = 1024;

/** A record of a place: where its text and its numbers are. */
export interface RecordAt {
  readonly text: Uint8Array;
  /** Where its numbers start, in all of `numbers`, and how many they are. */
  readonly at: number;
  readonly count: number;
  /** Where in the log the next record starts. */
  readonly end: number;
}

const toEights = (bytes: number): number => (bytes + 7) & ~7;

/** The memory of metrics as anybody finds it who has it: what lies in it is looked at, and not believed. */
export class MetricsMemory {
  readonly numbers: Float64Array;
  private readonly words: Int32Array;
  private readonly tickets: BigInt64Array;
  private readonly bytes: Uint8Array;

  private constructor(
    readonly buffer: SharedArrayBuffer,
    readonly places: number,
    private readonly bytesPerPlace: number,
  ) {
    this.numbers = new Float64Array(buffer);
    this.words = new Int32Array(buffer);
    this.tickets = new BigInt64Array(buffer);
    this.bytes = new Uint8Array(buffer);
  }

  /** @param bytesPerPlace is made a multiple of what places start at. */
  static make(places: number, bytesPerPlace: number): MetricsMemory {
    const each = Math.ceil(bytesPerPlace / lineBytes) * lineBytes;
    const memory = new MetricsMemory(new SharedArrayBuffer(headBytes + places * each), places, each);
    const { words } = memory;
    words[Head.Version] = version;
    words[Head.Places] = places;
    words[Head.BytesPerPlace] = each;
    Atomics.store(words, Head.Magic, magic);
    return memory;
  }

  /** @throws TypeError for what is no memory of metrics, RangeError for one of another version or size. */
  static at(buffer: unknown): MetricsMemory {
    if (!types.isSharedArrayBuffer(buffer)) {
      throw new TypeError(`the handle's buffer must be a SharedArrayBuffer, got ${shown(buffer)}`);
    }
    const words = new Int32Array(buffer, 0, Math.min(4, new Uint8Array(buffer).length >> 2));
    if (words.length < 4 || words[Head.Magic] !== magic) {
      throw new TypeError("the handle's buffer must be one that `Metrics` made, got another");
    }
    const [, found, places, each] = words as unknown as [number, number, number, number];
    if (found !== version) throw new RangeError(`the handle's buffer must have version ${version}, got ${found}`);
    const fits =
      places >= 1 &&
      places <= mostPlaces &&
      each >= leastBytesPerPlace &&
      each <= mostBytesPerPlace &&
      each % lineBytes === 0 &&
      new Uint8Array(buffer).length === headBytes + places * each;
    if (!fits) throw new RangeError(`the handle's buffer does not have ${places} places of ${each} bytes`);
    return new MetricsMemory(buffer, places, each);
  }

  /** Makes the first place that nobody has this thread's. @returns its number and what to keep as long, or undefined. */
  take(): { readonly place: number; readonly hold: object } | undefined {
    for (let place = 0; place < this.places; place++) {
      const hold = this.isTaken(place) ? undefined : native.takePlace(this.words, this.wordOf(place) + PlaceHead.Owner);
      if (hold !== undefined) return { place, hold };
    }
    return undefined;
  }

  /** A number greater than all that any thread has got before: it costs less than to ask for the time. */
  ticket(): number {
    return Number(Atomics.add(this.tickets, ticketsAt, 1n)) + 1;
  }

  isTaken(place: number): boolean {
    return Atomics.load(this.words, this.wordOf(place) + PlaceHead.Owner) !== 0;
  }

  /** The records of a place from `from` on, which is where one ended. It ends early where they are none. */
  *records(place: number, from = 0): Generator<RecordAt> {
    const log = this.logOf(place);
    const used = this.usedOf(place);
    for (let start = from; start + recordHeadBytes <= used;) {
      const word = (log + start) >> 2;
      const [size, textBytes, count] = [this.words[word]!, this.words[word + 1]!, this.words[word + 2]!];
      const textEnd = recordHeadBytes + textBytes;
      const fits = textBytes >= 0 && count >= 0 && size <= used - start && size === toEights(textEnd) + 8 * count;
      if (!fits || textBytes > size) return;
      const text = this.bytes.slice(log + start + recordHeadBytes, log + start + textEnd);
      const end = start + size;
      yield { text, at: (log + start + toEights(textEnd)) >> 3, count, end };
      start = end;
    }
  }

  /** Adds a record with so many zeros to one's own place. @returns where they are, or undefined when there is no room. */
  add(place: number, text: Uint8Array, count: number): number | undefined {
    const log = this.logOf(place);
    const start = this.usedOf(place);
    const before = recordHeadBytes + toEights(text.length);
    const size = before + 8 * count;
    if (size > this.bytesPerPlace - placeHeadBytes - start) return undefined;
    const word = (log + start) >> 2;
    const at = (log + start + before) >> 3;
    this.words.set([size, text.length, count, 0], word);
    this.bytes.set(text, log + start + recordHeadBytes);
    this.numbers.fill(0, at, at + count); // a thread that was terminated here may have left something
    Atomics.store(this.words, this.wordOf(place) + PlaceHead.Used, start + size);
    return at;
  }

  private wordOf(place: number): number {
    return (headBytes + place * this.bytesPerPlace) >> 2;
  }

  private logOf(place: number): number {
    return headBytes + place * this.bytesPerPlace + placeHeadBytes;
  }

  private usedOf(place: number): number {
    const used = Atomics.load(this.words, this.wordOf(place) + PlaceHead.Used) & ~7;
    return Math.max(0, Math.min(used, this.bytesPerPlace - placeHeadBytes));
  }
}
