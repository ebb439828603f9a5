import { Tensor, Variable } from 'gradstep';
import { checkBoolean, shown } from '../checks';
import { channelsMeant } from '../ops/convolution/layouts';
import { showShape } from '../tensor/shape';
import type { CallOptions, LayerOptions } from './layer';

/** @throws TypeError unless it is a function or left out. */
export function checkOptionalFunction(name: string, value: unknown): void {
  if (value === undefined) return;
  const hint = typeof value === 'string' ? `: write ops.${value}, if that is one` : '';
  if (typeof value !== 'function') throw new TypeError(`${name} must be a function, got ${shown(value)}${hint}`);
}

/** Name and dtype of a layer's variables. @throws TypeError for a name that is no string, RangeError for an empty one. */
export function identityOf(
  { name, dtype = 'float32' }: LayerOptions,
  kind: string,
): { name: string; dtype: 'float32' | 'float64' } {
  const own: unknown = name ?? kind;
  if (typeof own !== 'string') throw new TypeError(`name must be a string, got ${shown(own)}`);
  if (own === '') throw new RangeError('name must not be empty');
  return { name: own, dtype };
}

/** @throws TypeError for what is neither a tensor nor a variable. */
export function checkTensor(x: unknown): asserts x is Tensor {
  if (x instanceof Tensor || x instanceof Variable) return;
  const hint = Array.isArray(x) || ArrayBuffer.isView(x) ? ': tensor(values, shape) makes one of it' : '';
  throw new TypeError(`x must be a Tensor, got ${shown(x)}${hint}`);
}

/**
 * @param form what x must be, such as '[batch, time, inputs]', with its last size in it.
 * @param rank how many dimensions x must have; null for any number but 0.
 * @throws TypeError for what is no tensor, RangeError for one of another rank or last size.
 */
export function checkInput(x: unknown, form: string, rank: number | null, last: number): void {
  checkTensor(x);
  const { shape } = x;
  if (rank === null ? shape.at(-1) === last : shape.length === rank && shape[rank - 1] === last) return;
  throw new RangeError(`x has shape ${showShape(shape)}, expected ${form}${channelsMeant(shape, last)}`);
}

/** Whether a layer is called for training. @throws TypeError for options that are none. */
export function isTraining(options: CallOptions | undefined): boolean {
  if (options === undefined) return false;
  if (typeof options !== 'object' || (options as unknown) === null) {
    const hint = typeof options === 'boolean' ? `: write { training: ${String(options)} }` : '';
    throw new TypeError(`options must be an object, got ${shown(options)}${hint}`);
  }
  const { training = false } = options;
  checkBoolean('training', training);
  return training;
}
