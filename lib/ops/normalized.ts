import { allocate } from '../autodiff/scope';
import { toTensors, type TensorLike } from '../autodiff/tape';
import { checkRange } from '../checks';
import { sameShape, showShape, type Shape } from '../tensor/shape';
import type { Tensor } from '../tensor/tensor';
import { channelsMeant } from './convolution/layouts';
import { filled } from './primitives';

// What normalisations have in common.

/** A gain or an offset of x, which may be left out: of x's dtype and the given shape. */
export function parameter(name: string, value: TensorLike | undefined, x: Tensor, shape: Shape): Tensor | undefined {
  if (value === undefined) return undefined;
  const tensor = toTensors('x', x, name, value)[1];
  if (!sameShape(tensor.shape, shape)) {
    const meant = tensor.shape.length === 1 ? channelsMeant(x.shape, tensor.shape[0]!) : '';
    throw new RangeError(`${name} has shape ${showShape(tensor.shape)}, expected ${showShape(shape)} to fit x${meant}`);
  }
  return tensor;
}

export function checkEpsilon(epsilon: unknown): asserts epsilon is number {
  checkRange('epsilon', epsilon, 'a number that is not negative', (value) => value >= 0 && value < Infinity);
}

/** Those that are there. */
export function present<T>(...values: readonly (T | undefined)[]): T[] {
  return values.filter((value) => value !== undefined);
}

/** A bit for each that is there: the first counts `from`, the next twice that. */
export function bits(from: number, ...values: readonly (object | undefined)[]): number {
  return values.reduce<number>((sum, value, i) => sum + (value === undefined ? 0 : from * 2 ** i), 0);
}

/** Gradients of what is normalised, then of the gain and the offset where there are any; `write` fills those that are wanted. */
export function normalizedGradients(
  x: Tensor,
  gamma: Tensor | undefined,
  beta: Tensor | undefined,
  needed: readonly boolean[],
  write: (dx: Tensor, dgamma: Tensor | undefined, dbeta: Tensor | undefined) => void,
): (Tensor | null)[] {
  if (x.size === 0) return [filled(x, 0), ...present(gamma, beta).map((of) => filled(of, 0))];
  const wanted = (of: Tensor | undefined, index: number): Tensor | undefined =>
    of !== undefined && needed[index] === true ? allocate(of.dtype, of.shape, of.size) : undefined;
  const [dgamma, dbeta] = [wanted(gamma, 1), wanted(beta, gamma === undefined ? 1 : 2)];
  const dx = allocate(x.dtype, x.shape, x.size);
  write(dx, dgamma, dbeta);
  return [dx, ...(gamma === undefined ? [] : [dgamma ?? null]), ...(beta === undefined ? [] : [dbeta ?? null])];
}
