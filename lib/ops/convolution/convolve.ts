import { allocate } from '../../autodiff/scope';
import { derived, operandOf, refuse, wayBack } from '../../autodiff/way-back';
import type { FamilyTask } from '../../native';
import { sizeOf, type Shape } from '../../tensor/shape';
import type { Tensor } from '../../tensor/tensor';
import { kernels } from '../../tensor/trace';
import type { Epilogue } from '../primitives';
import { filterShape, inputShape, itemsOf, outputShape, type Geometry } from './window';

// The three products of a convolution, primitives as those of primitives.ts: each is linear in both of its tensors, and its
// gradients are the other two.

/** What comes out of x through the filter. */
export function convolved(x: Tensor, filter: Tensor, g: Geometry, epilogue: Epilogue = {}): Tensor {
  const { bias, relu = false } = epilogue;
  const shape = outputShape(g);
  const y = allocate(x.dtype, shape, sizeOf(shape));
  kernels.task('conv2d', x.dtype, [y.operand, operandOf(x), operandOf(filter), bias?.operand], {
    option: Number(bias !== undefined) + 2 * Number(relu),
    items: itemsOf(g),
  });
  if (wayBack === null) return y;
  if (bias !== undefined || relu) refuse();
  return derived([x, filter], y, (dy, needed) => [
    needed[0] ? inputGradient(dy, filter, g) : null,
    needed[1] ? filterGradient(x, dy, g) : null,
  ]);
}

/** Σ over what each pixel of x went into: dy times the filter's factor. */
export function inputGradient(dy: Tensor, filter: Tensor, g: Geometry): Tensor {
  const dx = product('conv2dInputGradient', inputShape(g), dy, filter, g);
  if (wayBack === null) return dx;
  return derived([dy, filter], dx, (d, needed) => [
    needed[0] ? convolved(d, filter, g) : null,
    needed[1] ? filterGradient(d, dy, g) : null,
  ]);
}

/** Σ over positions: dy times what the filter's factor was laid on. */
export function filterGradient(x: Tensor, dy: Tensor, g: Geometry): Tensor {
  const df = product('conv2dFilterGradient', filterShape(g), x, dy, g);
  if (wayBack === null) return df;
  return derived([x, dy], df, (d, needed) => [
    needed[0] ? inputGradient(dy, d, g) : null,
    needed[1] ? convolved(x, d, g) : null,
  ]);
}

function product(kind: FamilyTask, shape: Shape, a: Tensor, b: Tensor, g: Geometry): Tensor {
  const out = allocate(a.dtype, shape, sizeOf(shape));
  kernels.task(kind, a.dtype, [out.operand, operandOf(a), operandOf(b)], { items: itemsOf(g) });
  return out;
}
