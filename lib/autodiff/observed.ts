import { storedValues, type Gradient } from '../tensor/indexed-slices';
import type { Tensor } from '../tensor/tensor';
import type { Variable } from '../tensor/variable';
import type { Tape } from './tape';

// What wants to begin with gradients while the way back is still gone is told which are known already.

/** @internal Somebody who is told of a way back while it is gone. */
export interface WayBackObserver {
  /** Before it begins: what the gradients will be of, in their order. */
  begin(targets: readonly (Tensor | Variable)[]): void;
  /**
   * Nothing is added to this gradient any more: it has the values that will be returned, and stays as long as the call.
   * Comes once for each target, in the order in which they are known; null where there is none.
   */
  final(target: number, gradient: Gradient | null): void;
}

/** The one that the next way back is for. */
let waiting: WayBackObserver | null = null;

/** @internal Has `observer` be told of the first way back in `f`, and of none inside of that. */
export function observingWayBack<T>(observer: WayBackObserver, f: () => T): T {
  const before = waiting;
  waiting = observer;
  try {
    return f();
  } finally {
    waiting = before;
  }
}

/** The observer of the way back that begins now, if there is one. */
export function takeObserver(): WayBackObserver | null {
  const observer = waiting;
  waiting = null;
  return observer;
}

/** Has the observer, if there is one, see gradients as `change` makes them: as they are returned in the end. */
export function changingGradients<T>(change: (gradient: Gradient) => Gradient, f: () => T): T {
  const outer = takeObserver();
  if (outer === null) return f();
  const observer: WayBackObserver = {
    begin: (targets) => outer.begin(targets),
    final: (target, gradient) => {
      if (gradient === null) return outer.final(target, null);
      const changed = change(gradient);
      outer.final(target, changed);
      storedValues(changed).dispose(); // a view, which would keep the memory from being the caller's own
    },
  };
  return observingWayBack(observer, f);
}

/** Which targets are known after which entry of a tape that is walked back. */
export class FinalTargets {
  /** By the number of the first entry that has it as an input: the last one that adds to its gradient. */
  private readonly after = new Map<number, number[]>();
  private readonly unread: number[] = [];

  constructor(tape: Tape, targets: readonly Tensor[]) {
    const first = new Map<Tensor, number>();
    for (let i = tape.entries.length - 1; i >= 0; i--) {
      for (const input of tape.entries[i]!.inputs) first.set(input, i);
    }
    targets.forEach((target, i) => {
      const entry = first.get(target);
      if (entry === undefined) this.unread.push(i);
      else if (this.after.has(entry)) this.after.get(entry)!.push(i);
      else this.after.set(entry, [i]);
    });
  }

  /** Those that no entry adds to. */
  get atOnce(): readonly number[] {
    return this.unread;
  }

  /** Those that are known when this entry has been gone back. */
  knownAfter(entry: number): readonly number[] {
    return this.after.get(entry) ?? none;
  }
}

const none: readonly number[] = [];
