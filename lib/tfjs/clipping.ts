import { checkRange, isNotNegative } from '../checks';
import { formatNumber, native } from '../native';
import type { NamesOf } from '../options';

/** How gradients are clipped before a step, as Keras names it; at most one of them. */
export interface ClippingOptions {
  /** Every element to [−clipValue, clipValue]. */
  clipValue?: number;
  /** Each gradient to this norm. */
  clipNorm?: number;
  /** All gradients of a step together to this norm. */
  globalClipNorm?: number;
}

export const clippingNames: NamesOf<ClippingOptions> = { clipValue: true, clipNorm: true, globalClipNorm: true };

/** @throws TypeError or RangeError for what is no norm or value, Error for more than one of them. */
export function checkClipping(options: ClippingOptions): ClippingOptions {
  const names = Object.keys(clippingNames) as (keyof ClippingOptions)[];
  const given = names.filter((name) => options[name] !== undefined && options[name] !== null);
  for (const name of given) checkRange(name, options[name], 'a number that is not negative', isNotNegative);
  if (given.length > 1) throw new Error(`give one of ${names.join(', ')}, got ${given.join(' and ')}`);
  return Object.fromEntries(given.map((name) => [name, options[name]]));
}

/** What a gradient of this norm is multiplied by, so that the norm is at most `clipNorm`. NaN for NaN. */
export const factorFor = (norm: number, clipNorm: number): number => (norm <= clipNorm ? 1 : clipNorm / norm);

/** The same for all gradients together: NaN where the norm is infinite, too, as in TensorFlow. */
export const globalFactorFor = (norm: number, clipNorm: number): number =>
  Number.isFinite(norm) ? factorFor(norm, clipNorm) : NaN;

/** Address, length and factor of each of some arrays, for their norm. */
export class NormTable {
  private table = new Float64Array(48);
  private end = 0;

  clear(): this {
    this.end = 0;
    return this;
  }

  add(address: number, length: number): this {
    if (length === 0) return this;
    if (this.end + 3 > this.table.length) {
      const longer = new Float64Array(2 * this.table.length);
      longer.set(this.table);
      this.table = longer;
    }
    this.table[this.end++] = address;
    this.table[this.end++] = length;
    this.table[this.end++] = 1;
    return this;
  }

  get norm(): number {
    return this.end === 0 ? 0 : Math.sqrt(native.sumOfSquaresAt(this.table, this.end / 3, formatNumber.float32));
  }
}
