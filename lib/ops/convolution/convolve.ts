import { allocate } from '../../autodiff/scope';
import { sizeOf } from '../../tensor/shape';
import type { Tensor } from '../../tensor/tensor';
import { kernels } from '../../tensor/trace';
import type { Epilogue } from '../primitives';
import { filterShape, inputShape, itemsOf, outputShape, type Geometry } from './window';

// The three products of a convolution. Each is linear in both of its tensors, and the gradients of each are the other two.

/** What comes out of x through the filter. */
export function convolved(x: Tensor, filter: Tensor, g: Geometry, { bias, relu = false }: Epilogue = {}): Tensor {
  const shape = outputShape(g);
  const y = allocate(x.dtype, shape, sizeOf(shape));
  kernels.task('conv2d', x.dtype, [y.operand, x.operand, filter.operand, bias?.operand], {
    option: Number(bias !== undefined) + 2 * Number(relu),
    items: itemsOf(g),
  });
  return y;
}

/** Σ over what each pixel of x went into: dy times the filter's factor. */
export function inputGradient(dy: Tensor, filter: Tensor, g: Geometry): Tensor {
  const shape = inputShape(g);
  const dx = allocate(dy.dtype, shape, sizeOf(shape));
  kernels.task('conv2dInputGradient', dy.dtype, [dx.operand, dy.operand, filter.operand], { items: itemsOf(g) });
  return dx;
}

/** Σ over positions: dy times what the filter's factor was laid on. */
export function filterGradient(x: Tensor, dy: Tensor, g: Geometry): Tensor {
  const shape = filterShape(g);
  const df = allocate(x.dtype, shape, sizeOf(shape));
  kernels.task('conv2dFilterGradient', x.dtype, [df.operand, x.operand, dy.operand], { items: itemsOf(g) });
  return df;
}
