import { record, toAnyTensor, type TensorLike } from '../../autodiff/tape';
import { checkNumber, shown } from '../../checks';
import { checkOptions, type NamesOf } from '../../options';
import { isFloat, type DType, type TensorDType } from '../../tensor/dtype';
import { showShape, sizeOf, type Shape } from '../../tensor/shape';
import type { Tensor } from '../../tensor/tensor';
import { kernels } from '../../tensor/trace';
import { allocate } from '../../autodiff/scope';
import { derived, wayBack } from '../../autodiff/way-back';
import { addPart, copyPart, partOf, taken, whole, type View } from '../layout';
import { reshaped } from '../primitives';
import { checkCount } from './checks';

export interface PadOptions {
  /**
   * What is put around x: `'constant'` a value, `'reflect'` what a mirror on the outermost element shows, `'symmetric'` what
   * one beside it shows, the outermost element twice. Default: `'constant'`.
   */
  mode?: 'constant' | 'reflect' | 'symmetric';
  /** The value of `'constant'`. Default: 0. */
  constantValues?: number;
}

const modes: readonly string[] = ['constant', 'reflect', 'symmetric'];
const padNames: NamesOf<PadOptions> = { mode: true, constantValues: true };

/**
 * A tensor with more elements in front and behind along each dimension.
 *
 * Gradient: dy where x is, and where a mirror shows x, what is there is added.
 *
 * @param x of any type
 * @param paddings for each dimension how many elements come in front and how many behind.
 * @throws TypeError for arguments of a wrong kind, RangeError for paddings that do not fit x, or of which a mirror does not
 * show as many: size - 1 of `'reflect'`, size of `'symmetric'`.
 * Source: `tf.pad`.
 */
export function pad<D extends TensorDType = DType>(
  x: TensorLike | Tensor<D>,
  paddings: readonly (readonly [number, number])[],
  options: PadOptions = {},
): Tensor<D> {
  checkOptions('options', options, padNames);
  const { mode = 'constant', constantValues = 0 } = options;
  if (mode !== 'constant' && mode !== 'reflect' && mode !== 'symmetric') {
    const word = typeof mode === 'string' ? (mode as string).toLowerCase() : '';
    const hint = modes.includes(word) ? `: write '${word}'` : '';
    throw new RangeError(`mode must be 'constant', 'reflect' or 'symmetric', got ${shown(mode)}${hint}`);
  }
  checkNumber('constantValues', constantValues);
  const input = toAnyTensor<D>('x', x);
  checkPaddings(paddings, input.shape);
  if (mode === 'constant') return constant(input, paddings, constantValues);
  return mirror(input, paddings, mode === 'reflect' ? 1 : 0);
}

function checkPaddings(paddings: unknown, shape: Shape): void {
  if (!Array.isArray(paddings)) {
    throw new TypeError(`paddings must be an array of [front, behind], got ${shown(paddings)}`);
  }
  if (paddings.length !== shape.length) {
    throw new RangeError(
      `paddings has ${paddings.length} elements, x has shape ${showShape(shape)}: ${shape.length} were expected`,
    );
  }
  for (const [d, pair] of (paddings as unknown[]).entries()) {
    if (!Array.isArray(pair) || pair.length !== 2) {
      throw new TypeError(`paddings[${d}] must be [front, behind], got ${shown(pair)}`);
    }
    checkCount(`paddings[${d}][0]`, pair[0]);
    checkCount(`paddings[${d}][1]`, pair[1]);
  }
}

function constant<D extends TensorDType>(
  x: Tensor<D>,
  paddings: readonly (readonly [number, number])[],
  value: number,
): Tensor<D> {
  const shape = x.shape.map((size, d) => size + paddings[d]![0] + paddings[d]![1]);
  const view = partOf(
    shape,
    paddings.map(([front]) => front),
    x.shape,
  );
  const y = allocate(x.dtype, shape, sizeOf(shape));
  kernels.fill(y.operand, isFloat(x.dtype) ? value : held(x.dtype, value));
  copyPart(y, view, x);
  return record([x], y, (dy) => [taken(dy, view)]);
}

function held(dtype: TensorDType, value: number): number {
  const fits = dtype === 'bool' ? value === 0 || value === 1 : value === (value | 0);
  if (!fits) throw new RangeError(`constantValues must be a value of ${dtype}, got ${value}`);
  return value;
}

/** Dimension by dimension: what is beside a part is what a mirror shows of it. */
function mirror<D extends TensorDType>(
  x: Tensor<D>,
  paddings: readonly (readonly [number, number])[],
  skipped: number,
): Tensor<D> {
  let y = x;
  for (const [d, [front, behind]] of paddings.entries()) {
    const most = Math.max(0, x.shape[d]! - skipped);
    if (front > most || behind > most) {
      throw new RangeError(
        `paddings[${d}] is [${front}, ${behind}], x has shape ${showShape(x.shape)}: a mirror shows ${most} elements of dimension ${d}`,
      );
    }
    if (front + behind > 0) y = mirrorOne(y, d, front, behind, skipped);
  }
  return y === x ? record([x], reshaped(x, x.shape), (dy) => [dy]) : y;
}

interface Mirror {
  readonly shape: Shape;
  readonly middle: View;
  /** What is filled in, and what of x is shown there. */
  readonly sides: readonly (readonly [View, View])[];
}

function mirrorOne<D extends TensorDType>(
  x: Tensor<D>,
  axis: number,
  front: number,
  behind: number,
  skipped: number,
): Tensor<D> {
  const size = x.shape[axis]!;
  const shape = x.shape.map((own, d) => (d === axis ? front + own + behind : own));
  const along = (of: Shape, from: number, count: number, step: number): View =>
    partOf(
      of,
      of.map((_, d) => (d === axis ? from : 0)),
      x.shape.map((own, d) => (d === axis ? count : own)),
      of.map((_, d) => (d === axis ? step : 1)),
    );
  const mirrored: Mirror = {
    shape,
    middle: along(shape, front, size, 1),
    sides: [
      [along(shape, 0, front, 1), along(x.shape, front - 1 + skipped, front, -1)] as const,
      [along(shape, front + size, behind, 1), along(x.shape, size - 1 - skipped, behind, -1)] as const,
    ].filter(([{ shape: side }]) => sizeOf(side) > 0),
  };
  return record([x], reflected(x, mirrored), (dy) => [unreflected(dy, mirrored, x.shape)]);
}

function reflected<D extends TensorDType>(x: Tensor<D>, mirrored: Mirror): Tensor<D> {
  const { shape, middle, sides } = mirrored;
  const y = allocate(x.dtype, shape, sizeOf(shape));
  copyPart(y, middle, x);
  for (const [to, from] of sides) copyPart(y, to, x, from);
  return wayBack === null ? y : derived([x], y, (dy) => [unreflected(dy, mirrored, x.shape)]);
}

function unreflected(dy: Tensor, mirrored: Mirror, shape: Shape): Tensor {
  const { middle, sides } = mirrored;
  const dx = allocate(dy.dtype, shape, sizeOf(shape));
  copyPart(dx, whole(shape), dy, middle);
  for (const [to, from] of sides) addPart(dx, from, dy, to);
  return wayBack === null ? dx : derived([dy], dx, (d) => [reflected(d, mirrored)]);
}
