import { byteLengthOf, copyInto, isSharedForGood } from './arrays';
import type { StateMemory } from './dtype';

/** A copy that is to be made, of arrays that are equally long and cannot be taken away. */
export interface StateCopy {
  readonly to: StateMemory;
  readonly from: StateMemory;
}

let collected: StateCopy[] | null = null;

/** Less is copied in no time. */
const leastLater = 2 ** 20;

/** Writes state to where it lies, now or with those that are being collected. */
export function overwrite<A extends StateMemory>(to: A, from: A): void {
  const isLarge = collected !== null && byteLengthOf(from) >= leastLater;
  if (isLarge && isSharedForGood(to) && isSharedForGood(from)) collected!.push({ to, from });
  else copyInto(to, from);
}

/** Calls what restores state. @returns copies that are yet to be made, before anybody else looks at it. */
export function collectingCopies(restore: () => void): StateCopy[] {
  const before = collected;
  const own: StateCopy[] = [];
  collected = own;
  try {
    restore();
  } finally {
    collected = before;
  }
  return own;
}
