import { native, Verdict } from '../native';
import type { GlobalStep } from '../tensor/global-step';
import type { Memory } from '../tensor/memory';

// The table of a commit: see `commit` in lib/native.ts.
const enum Header {
  Guard,
  IsLocked,
  Expected,
  Limit,
  Writes,
  Length,
}
const enum Write {
  Float64,
  Float32,
  AddToInt64,
}
const numbersPerWrite = 3;

/** Thrown through a step that has to be prepared anew; caught in `Commit.make`. */
const again = Symbol('another thread has stepped meanwhile');

export interface CommitOptions {
  /** Two 32-bit words in shared memory, a lock and a version, for all threads that step with these variables. */
  readonly guard: Int32Array;
  /** Whether steps exclude each other, and are prepared anew when another has been made meanwhile. */
  readonly isLocked: boolean;
  /** The most steps that there may be. */
  readonly limit?: number;
}

/**
 * Steps whose state changes in one native call, all of it: what a step writes beside variables and slots goes with the
 * call. A thread that is terminated anywhere leaves what was before the step, or what is after it.
 *
 * While one is open it is the business of all who write such state: `RuleOptimizer.applyGradients`, the loss scales.
 */
export class Commit {
  private static current: Commit | null = null;
  private table = new Float64Array(Header.Length + 8 * numbersPerWrite);
  private isMade = false;
  private verdict: Verdict | null = null;

  constructor(private readonly options: CommitOptions) {
    const { guard, isLocked, limit = -1 } = options;
    this.table[Header.Guard] = native.addressOfAny(guard);
    this.table[Header.IsLocked] = isLocked ? 1 : 0;
    this.table[Header.Limit] = limit;
  }

  /** The one that is open in this thread. */
  static get open(): Commit | null {
    return Commit.current;
  }

  /** How many steps there have been. */
  get version(): number {
    return Atomics.load(this.options.guard, 1) >>> 0;
  }

  /**
   * Calls `step`, which makes one step of an optimizer or leaves it out, and makes what it writes come about at once.
   * It is called again when another thread has stepped meanwhile and steps are to exclude each other.
   *
   * @param isOptional whether a step that writes nothing is none. Otherwise it counts too.
   * @returns whether there was room for it below the limit, or undefined in a thread that is being terminated.
   */
  make(step: () => unknown, isOptional = false): boolean | undefined {
    if (Commit.current !== null) throw new Error('a step of several threads cannot be made inside another');
    for (;;) {
      this.table[Header.Writes] = 0;
      this.table[Header.Expected] = this.options.isLocked ? this.version : -1;
      this.isMade = false;
      Commit.current = this;
      try {
        step();
        const isNone = isOptional && this.table[Header.Writes] === 0;
        if (!this.isMade && !isNone) this.run((table) => native.commit(table));
        return true;
      } catch (error) {
        if (error !== again) throw error;
        if (this.verdict !== Verdict.Stale) return this.verdict === Verdict.Over ? false : undefined;
      } finally {
        Commit.current = null;
      }
    }
  }

  /** Makes the native call that all goes with. Throws what only `make` catches when it was not made. */
  run(call: (table: Float64Array) => Verdict | undefined): void {
    if (this.isMade) throw new Error('a step of several threads can have one call of applyGradients only');
    const verdict = call(this.table);
    if (verdict === undefined) return; // it has thrown
    this.verdict = verdict;
    this.isMade = verdict === Verdict.Made;
    if (!this.isMade) throw again; // eslint-disable-line @typescript-eslint/only-throw-error -- no error: see `make`
  }

  /** Notes that the number at this place of an array becomes `value`. */
  write(memory: Memory, value: number): void {
    this.add(memory.dtype === 'float32' ? Write.Float32 : Write.Float64, memory.locate(), value);
  }

  /** The same for an element of shared memory. */
  set(array: Float64Array, index: number, value: number): void {
    this.add(Write.Float64, native.addressOfAny(array) + 8 * index, value);
  }

  /** Notes that the step counts one more. */
  increment(globalStep: GlobalStep): void {
    this.add(Write.AddToInt64, globalStep.address, 1);
  }

  private add(what: Write, address: number, value: number): void {
    const writes = this.table[Header.Writes]!;
    const at = Header.Length + numbersPerWrite * writes;
    if (at + numbersPerWrite > this.table.length) {
      const larger = new Float64Array(2 * this.table.length);
      larger.set(this.table);
      this.table = larger;
    }
    this.table.set([what, address, value], at);
    this.table[Header.Writes] = writes + 1;
  }
}

/** Writes a number of state that lies in `memory`, now or with the step that is being made. */
export function writeState(memory: Memory, value: number): void {
  if (Commit.open === null) memory.array[0] = value;
  else Commit.open.write(memory, value);
}
