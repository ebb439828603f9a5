import { native } from '../native';
import { byteLengthOf, copyInto } from '../tensor/arrays';
import type { StateCopy } from '../tensor/overwrite';

/**
 * Makes copies off the event loop, or on it where that cannot be: all of them are made in any case. The caller keeps others away from what is written, and from what is read.
 * @throws RangeError for arrays that are not equally long.
 */
export async function copyLater(copies: readonly StateCopy[]): Promise<void> {
  if (copies.length === 0) return;
  const table = new Float64Array(3 * copies.length);
  copies.forEach(({ to, from }, i) => {
    const bytes = byteLengthOf(from);
    if (byteLengthOf(to) !== bytes) throw new RangeError(`a copy of ${bytes} bytes cannot go to ${byteLengthOf(to)}`);
    table.set([native.addressOfAny(to), native.addressOfAny(from), bytes], 3 * i);
  });
  try {
    await native.copyAsync(copies, table);
  } catch {
    for (const { to, from } of copies) copyInto(to, from); // there is no memory for a job, or this thread is ending
  }
}
