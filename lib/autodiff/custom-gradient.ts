import { checkFunction, shown } from '../checks';
import { IndexedSlices, ownIndices, type Gradient } from '../tensor/indexed-slices';
import { sameShape, showShape } from '../tensor/shape';
import type { Tensor } from '../tensor/tensor';
import { checkFloats, isTensor } from '../tensor/tensor';
import { inScope } from './scope';
import { record, toTensor, type TensorLike } from './tape';
import { derived } from './way-back';

/** A value and how gradients flow back from it. */
export interface CustomGradient {
  readonly value: Tensor;
  /** From the gradient of the value to those of the inputs, in their order; null where there is none. */
  readonly gradient: (dy: Tensor) => readonly (Gradient | null)[];
}

/**
 * An op with a gradient of its own, in place of that of the ops it is made of.
 *
 * No gradient flows to variables that `f` reads but is not given.
 *
 * @param f computes a value from its inputs, which come as tensors, and says what their gradients are.
 * @returns the op. It throws a TypeError when `f` or its gradient returns something of another kind, and a RangeError
 * when there are more or fewer gradients than inputs or one has another shape than its input.
 * Source: `tf.custom_gradient`.
 * @example
 * // ln(1 + eˣ), whose gradient 1 - 1 / (1 + eˣ) is right also where eˣ overflows
 * const log1pExp = customGradient((x) => {
 *   const e = ops.exp(x);
 *   return { value: ops.log(ops.add(1, e)), gradient: (dy) => [ops.mul(dy, ops.sub(1, ops.div(1, ops.add(1, e))))] };
 * });
 */
export function customGradient<Inputs extends readonly TensorLike[] = TensorLike[]>(
  f: (...inputs: { [I in keyof Inputs]: Tensor }) => CustomGradient,
): (...inputs: Inputs) => Tensor {
  checkFunction('f', f);
  return (...inputs) => {
    const given = inputs.map((input, i) => toTensor(`input ${i}`, input));
    const custom = f(...(given.map(another) as { [I in keyof Inputs]: Tensor }));
    checkCustom(custom);
    return record(given, another(custom.value), (dy) => gradientsOf(custom, another(dy), given));
  };
}

// The tape knows a tensor by identity: what `f` does with another one over the same memory is not followed. It also
// marks the memory as shared, so that a gradient that is handed on from here is copied before a caller gets it.
function another(tensor: Tensor): Tensor {
  return derived([tensor], inScope(tensor.view(tensor.shape)), (dy) => [dy]);
}

function checkCustom(custom: unknown): asserts custom is CustomGradient {
  if (typeof custom !== 'object' || custom === null || custom instanceof Promise) {
    throw new TypeError(`f must return { value, gradient }, got ${shown(custom)}`);
  }
  const { value, gradient } = custom as Partial<CustomGradient>;
  if (!isTensor(value)) throw new TypeError(`value must be a Tensor, got ${shown(value)}`);
  checkFloats('value', value);
  checkFunction('gradient', gradient);
}

function gradientsOf(custom: CustomGradient, dy: Tensor, inputs: readonly Tensor[]): (Gradient | null)[] {
  const found: unknown = custom.gradient(dy);
  if (!Array.isArray(found)) throw new TypeError(`gradient must return an array, got ${shown(found)}`);
  if (found.length !== inputs.length) {
    throw new RangeError(`gradient must return ${inputs.length} gradients, one for each input, got ${found.length}`);
  }
  return found.map((gradient, i) => checked(gradient, inputs[i]!, `gradient of input ${i}`));
}

function checked(gradient: unknown, input: Tensor, name: string): Gradient | null {
  if (gradient === null) return null;
  if (!(isTensor(gradient) || gradient instanceof IndexedSlices)) {
    throw new TypeError(`${name} must be a Tensor, an IndexedSlices or null, got ${shown(gradient)}`);
  }
  if (gradient.dtype !== input.dtype) throw new TypeError(`${name} is ${gradient.dtype}, expected ${input.dtype}`);
  if (isTensor(gradient)) {
    checkFloats(name, gradient);
    requireShape(name, gradient.shape, input.shape);
    return another(gradient);
  }
  requireShape(`a row of ${name}`, gradient.values.shape.slice(1), input.shape.slice(1));
  return new IndexedSlices(another(gradient.values), ownIndices('indices', gradient.indices), input.shape);
}

function requireShape(name: string, shape: readonly number[], expected: readonly number[]): void {
  if (sameShape(shape, expected)) return;
  throw new RangeError(`${name} has shape ${showShape(shape)}, expected ${showShape(expected)}`);
}
