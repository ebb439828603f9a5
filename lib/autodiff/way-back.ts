import { isFloat, type ArrayOf, type TensorDType } from '../tensor/dtype';
import { lookingAtOperands, type AnyTensor, type Tensor } from '../tensor/tensor';
import { callersPlace } from '../tensor/trace';
import type { Backward, Entry, Tape } from './tape';

// Gradients of gradients. While a tape is walked back, others may still be recorded on: the ways back of its ops are then
// ops of theirs. They are made of primitives (ops/primitives.ts), each of which says by `derived` what its own gradient is.
// What else computes with a followed tensor would be taken for a constant, so it is refused.

/** A way back that is recorded. */
export interface WayBack {
  /** The tapes that are recorded on. */
  readonly recorders: readonly Tape[];
  /** Tensors that it has made, or was given. */
  readonly own: Set<AnyTensor>;
  /** The op whose way back is being gone, if any. */
  entry: Entry | null;
}

/** The one that is being gone, if it is recorded. */
export let wayBack: WayBack | null = null;

/** Runs `f`, a way back, so that what it computes is recorded on these tapes, if there are any. */
export function goingBack<T>(recorders: readonly Tape[], f: () => T): T {
  if (recorders.length === 0) return f();
  const before = wayBack;
  wayBack = { recorders, own: new Set(), entry: null };
  try {
    return lookingAtOperands(refuseFollowed, f);
  } finally {
    wayBack = before;
  }
}

/** Of an op, with dy the gradient of its output. */
export function backwardOf(entry: Entry, dy: Tensor, needed: readonly boolean[]): ReturnType<Backward> {
  if (wayBack === null) return entry.backward(dy, needed);
  wayBack.own.add(dy);
  wayBack.entry = entry;
  try {
    return entry.backward(dy, needed);
  } finally {
    wayBack.entry = null;
  }
}

/** The array of a primitive's input: its gradient is known. */
export function operandOf<D extends TensorDType>(input: Tensor<D>): ArrayOf<D> {
  if (wayBack === null) return input.operand;
  refuseSaved(input);
  return input.unseen;
}

/** Notes on a way back that is recorded how the output of a primitive came about. Returns `output`. */
export function derived<D extends TensorDType>(
  inputs: readonly AnyTensor[],
  output: Tensor<D>,
  backward: Backward,
): Tensor<D> {
  if (wayBack === null) return output;
  wayBack.own.add(output);
  const place = wayBack.entry?.place ?? callersPlace();
  for (const tape of wayBack.recorders) tape.record(inputs, output, backward, place);
  return output;
}

const isFollowed = (tensor: AnyTensor): boolean =>
  tensor.tapes !== null && wayBack!.recorders.some((tape) => tape.follows(tensor));

function refuseFollowed(tensor: AnyTensor): void {
  if (isFollowed(tensor)) refuse();
  refuseSaved(tensor);
}

// What an op has kept of its way forth, and no tape knows, may depend on anything; not so indices and masks, which have no
// gradient.
function refuseSaved(tensor: AnyTensor): void {
  const { entry, own, recorders } = wayBack!;
  if (entry === null || own.has(tensor) || !isFloat(tensor.dtype)) return;
  if (tensor === entry.output || (entry.inputs as readonly AnyTensor[]).includes(tensor)) return;
  const isConstant = !recorders.some((tape) => entry.inputs.some((input) => tape.follows(input)));
  if (!isConstant && !isFollowed(tensor)) refuse();
}

/** @throws Error: the way back of an op is not made of primitives. */
export function refuse(): never {
  const place = wayBack?.entry?.place ?? '';
  throw new Error(
    `gradients of gradients are not supported through an op whose way back is a kernel of its own${place}`,
  );
}
