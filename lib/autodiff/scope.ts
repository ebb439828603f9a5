import { checkFunction } from '../checks';
import { Memory, pool } from '../tensor/memory';
import { isTensor, Tensor, type AnyTensor } from '../tensor/tensor';
import type { TensorDType } from '../tensor/dtype';
import type { Shape } from '../tensor/shape';
import { wayBack } from './way-back';

/** The tensors made while a scope is open; they are disposed of when it closes. */
class Scope {
  readonly tensors: AnyTensor[] = [];
  /** `holdsAll`: scopes inside leave their tensors to this one. */
  constructor(readonly holdsAll: boolean) {}
}

let current: Scope | null = null;

const gone =
  'this tensor was an intermediate result of a step that is over; pass it to keep() inside the step to hold on to it';

/** A new tensor with undefined contents, in the open scope if there is one. */
export function allocate<D extends TensorDType>(dtype: D, shape: Shape, size: number): Tensor<D> {
  return inScope(new Tensor<D>(Memory.take(dtype, size), shape));
}

/** Puts a tensor in the open scope's care. */
export function inScope<T extends AnyTensor>(tensor: T): T {
  current?.tensors.push(tensor);
  wayBack?.own.add(tensor);
  return tensor;
}

/**
 * Runs `f` and disposes of every tensor that was made in it, but for what `f` returns (tensors, also inside arrays
 * and objects) and what `keep` was called on. Inside a function whose gradients are being computed, the tensors go
 * when that is done, since the way back reads them.
 *
 * @throws TypeError when `f` returns a Promise: a scope cannot stay open while other code runs.
 * @example
 * const mean = tidy(() => ops.reduceMean(ops.square(x)));
 */
export function tidy<T>(f: () => T): T {
  checkFunction('f', f);
  return withScope(f, (result, escape) => {
    if (result instanceof Promise) throw new TypeError('tidy takes a function that returns its result, not a Promise');
    for (const tensor of tensorsIn(result)) escape(tensor);
  });
}

/**
 * Runs `f` in a scope; `settle` says which tensors outlive it. `holdsAll`: scopes inside leave theirs to it; `gives`: it
 * gives its own back even inside of one that holds all.
 */
export function withScope<T>(
  f: () => T,
  settle: (result: T, escape: (tensor: AnyTensor) => void) => void,
  { holdsAll = false, gives = false } = {},
): T {
  const outer = current;
  const handsOn = outer?.holdsAll === true && !gives;
  const scope = new Scope(holdsAll || handsOn);
  current = scope;
  const escaped = new Set<AnyTensor>();
  try {
    const result = f();
    settle(result, (tensor) => escaped.add(tensor));
    return result;
  } finally {
    current = outer;
    for (const tensor of scope.tensors) {
      if (escaped.has(tensor) || handsOn) inScope(tensor);
      else if (!tensor.isDisposed && !tensor.memory.isKept) tensor.release(gone);
    }
    if (current === null) pool.nextGeneration();
  }
}

/**
 * Holds on to a tensor that would go when the step (or `tidy`) it was made in is over. Its memory is then yours to
 * give back with `dispose`, or the garbage collector's.
 * @returns the tensor itself.
 */
export function keep<T extends AnyTensor>(tensor: T): T {
  if (!isTensor(tensor)) throw new TypeError('keep takes a Tensor');
  void tensor.raw; // a tensor that is gone already says so here
  tensor.memory.isKept = true;
  return tensor;
}

function* tensorsIn(value: unknown, seen = new Set<unknown>()): Iterable<AnyTensor> {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || seen.has(value)) return;
  seen.add(value);
  if (isTensor(value)) yield value;
  else for (const item of Object.values(value)) yield* tensorsIn(item, seen);
}
