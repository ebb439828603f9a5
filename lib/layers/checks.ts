import { checkFunction, shown } from '../checks';
import type { LayerOptions } from './layer';

/** @throws TypeError unless it is a function or left out. */
export function checkOptionalFunction(name: string, value: unknown): void {
  if (value !== undefined) checkFunction(name, value);
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
