import { allocate, inScope } from '../autodiff/scope';
import { derived, operandOf, wayBack } from '../autodiff/way-back';
import type { ArrayOf, TensorDType } from '../tensor/dtype';
import { sizeOf, stridesOf, type Shape } from '../tensor/shape';
import { alias, type Tensor } from '../tensor/tensor';
import { kernels, trace } from '../tensor/trace';
import { sizeOption } from './picks';

// Parts of tensors, in any order: what most of the ops on shapes and their gradients come to.

/** Where the elements of a part lie in a whole: the first one, and how far the next lies along each dimension of the part. */
export interface View {
  /** That of the part. */
  readonly shape: Shape;
  readonly start: number;
  /** Negative ones go backwards. */
  readonly steps: readonly number[];
}

/** All of a shape. */
export const whole = (shape: Shape): View => ({ shape, start: 0, steps: stridesOf(shape) });

/** The part of a shape that begins somewhere and has so many elements along each dimension, every so many of them. */
export function partOf(shape: Shape, begin: readonly number[], size: Shape, strides?: readonly number[]): View {
  const steps = stridesOf(shape);
  return {
    shape: size,
    start: begin.reduce((sum, at, d) => sum + at * steps[d]!, 0),
    steps: strides === undefined ? steps : steps.map((step, d) => step * strides[d]!),
  };
}

/** Copies a part of x, or adds it, to a part of out of the same shape. */
function move(
  kind: 'stridedCopy' | 'stridedAdd',
  out: Tensor<TensorDType>,
  to: View,
  x: Tensor<TensorDType>,
  from: View,
): void {
  const { shape } = to;
  const data = operandOf(x);
  if (sizeOf(shape) === 0) return;
  // Out is walked through forwards.
  const isTurned = to.steps.map((step) => step < 0);
  const turned = ({ start, steps }: View): { start: number; steps: number[] } => ({
    start: steps.reduce((sum, step, d) => sum + (isTurned[d]! ? (shape[d]! - 1) * step : 0), start),
    steps: steps.map((step, d) => (isTurned[d]! ? -step : step)),
  });
  const [target, source] = [turned(to), turned(from)];
  const backwards = source.steps.reduce((mask, step, d) => mask + (step < 0 ? 2 ** d : 0), 0);
  kernels.task(kind, x.dtype, [out.operand, data], {
    option: (kind === 'stridedCopy' ? sizeOption(x.dtype) : 0) + 4 * backwards,
    items: [target.start, source.start, ...shape, ...target.steps, ...source.steps.map(Math.abs)],
  });
}

export function copyPart(
  out: Tensor<TensorDType>,
  to: View,
  x: Tensor<TensorDType>,
  from: View = whole(x.shape),
): void {
  move('stridedCopy', out, to, x, from);
}

export function addPart(out: Tensor, to: View, x: Tensor, from: View = whole(x.shape)): void {
  move('stridedAdd', out, to, x, from);
}

export function zeros<D extends TensorDType>(dtype: D, shape: Shape): Tensor<D> {
  const out = allocate(dtype, shape, sizeOf(shape));
  kernels.fill(out.operand, 0);
  return out;
}

/** A tensor of values that are known: the open scope's, or a program's that is put together, which has it for good. */
export function known<D extends TensorDType>(values: ArrayOf<D>, dtype: D, shape: Shape): Tensor<D> {
  const made = alias(values, dtype, shape);
  return trace === null ? inScope(made) : made;
}

/** A part of x. No two of its elements are the same one. */
export function taken<D extends TensorDType>(x: Tensor<D>, view: View): Tensor<D> {
  const out = allocate(x.dtype, view.shape, sizeOf(view.shape));
  copyPart(out, whole(view.shape), x, view);
  return wayBack === null ? out : derived([x], out, (dy) => [placed(dy, view, x.shape)]);
}

/** Zeros of a shape, a part of which is x. */
export function placed(x: Tensor, view: View, shape: Shape): Tensor {
  const out = zeros(x.dtype, shape);
  copyPart(out, view, x);
  return wayBack === null ? out : derived([x], out, (dy) => [taken(dy, view)]);
}

/** Parts that make up all of a shape, each from a tensor. */
export function joined<D extends TensorDType>(
  parts: readonly Tensor<D>[],
  views: readonly View[],
  shape: Shape,
): Tensor<D> {
  const out = allocate(parts[0]!.dtype, shape, sizeOf(shape));
  parts.forEach((part, i) => copyPart(out, views[i]!, part, whole(views[i]!.shape)));
  return wayBack === null ? out : derived(parts, out, (dy) => views.map((view) => taken(dy, view)));
}

/** x repeated along dimensions in which it has one element, or that it lacks in front; out has `shape`. */
export function repeated<D extends TensorDType>(x: Tensor<D>, shape: Shape): Tensor<D> {
  const out = allocate(x.dtype, shape, sizeOf(shape));
  const lead = shape.length - x.shape.length;
  const steps = stridesOf(x.shape);
  const own = shape.map((_, d) => (d < lead || x.shape[d - lead] === 1 ? 0 : steps[d - lead]!));
  copyPart(out, whole(shape), x, { shape, start: 0, steps: own });
  return out;
}
