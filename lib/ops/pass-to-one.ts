import type { Tensor } from '../tensor/tensor';
import { binary, binaryWith, unbroadcast } from './primitives';

/** dz goes to `a` where `toFirst` is 1 and to `b` where it is 0: a selection, so that 0 · Infinity cannot arise. */
export function passToOne(
  toFirst: Tensor,
  dz: Tensor,
  a: Tensor,
  b: Tensor,
  needed: readonly boolean[],
): (Tensor | null)[] {
  const where = (mask: Tensor): Tensor => binary('reluGradient', mask, dz); // dz where mask > 0, else 0
  return [
    needed[0] ? unbroadcast(where(toFirst), a.shape) : null,
    needed[1] ? unbroadcast(where(binaryWith('lessEqual', toFirst, 0)), b.shape) : null,
  ];
}
