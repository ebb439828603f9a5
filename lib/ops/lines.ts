import { allocate } from '../autodiff/scope';
import { derived, operandOf, wayBack } from '../autodiff/way-back';
import { sizeOf, type Shape } from '../tensor/shape';
import type { Int32Tensor, Tensor } from '../tensor/tensor';
import { kernels } from '../tensor/trace';
import { permuted, runsOf } from './primitives';

// What is made of all elements along dimensions. Kernels work on [outer, n, inner], along n.

export type LineSizes = readonly [outer: number, n: number, inner: number];

/** x so that what is reduced lies side by side; its dimensions are moved where that is no run of them. */
export function linesOf(x: Tensor, axes: readonly number[]): { x: Tensor; sizes: LineSizes } {
  const { form, sizes } = runsOf(x.shape, axes);
  const [first, second] = sizes;
  if (form === '' || form === 'k') return { x, sizes: [first, 1, 1] };
  if (form === 's' || form === 'sk') return { x, sizes: [1, first, second] };
  if (form === 'ks' || form === 'ksk') return { x, sizes };
  const kept = x.shape.map((_, d) => d).filter((d) => !axes.includes(d));
  const of = (dims: readonly number[]): number => sizeOf(dims.map((d) => x.shape[d]!));
  return { x: permuted(x, [...kept, ...axes]), sizes: [of(kept), of(axes), 1] };
}

/** The greatest along axes (sorted positions), or the least. */
export function extremeOf(x: Tensor, axes: readonly number[], shape: Shape, least: boolean): Tensor {
  const out = allocate(x.dtype, shape, sizeOf(shape));
  const { x: lines, sizes } = linesOf(x, axes);
  kernels.task('extreme', x.dtype, [out.operand, operandOf(lines)], { option: Number(least), sizes });
  return out;
}

/** Where the first extreme along an axis is. */
export function extremeAt(x: Tensor, axis: number, least: boolean): Int32Tensor {
  const shape = x.shape.filter((_, d) => d !== axis);
  const out = allocate('int32', shape, sizeOf(shape));
  const sizes = alongOne(x.shape, axis);
  if (out.size > 0) kernels.task('extremeAt', x.dtype, [out.operand, x.operand], { option: Number(least), sizes });
  return out;
}

/** The sizes of x along one axis. */
export const alongOne = (shape: Shape, axis: number): LineSizes => [
  sizeOf(shape.slice(0, axis)),
  shape[axis]!,
  sizeOf(shape.slice(axis + 1)),
];

export interface Scan {
  readonly axis: number;
  readonly exclusive: boolean;
  readonly reverse: boolean;
}

export const scanOption = ({ exclusive, reverse }: Scan, isProduct: boolean): number =>
  Number(isProduct) + 2 * Number(exclusive) + 4 * Number(reverse);

/** Sums of all elements up to each, or products. */
export function scanned(x: Tensor, scan: Scan, isProduct: boolean): Tensor {
  const out = allocate(x.dtype, x.shape, x.size);
  const parts = { option: scanOption(scan, isProduct), sizes: alongOne(x.shape, scan.axis) };
  kernels.task('scan', x.dtype, [out.operand, operandOf(x)], parts);
  if (wayBack === null || isProduct) return out;
  return derived([x], out, (dy) => [scanned(dy, { ...scan, reverse: !scan.reverse }, false)]);
}
