import { checkRange } from '../checks';
import { checkOptions, type NamesOf } from '../options';
import type { LossOptions } from './weighted';

export interface SmoothedLossOptions extends LossOptions {
  /** How far labels are moved towards knowing nothing, in [0, 1]. Default: 0. */
  labelSmoothing?: number;
}

const names: NamesOf<SmoothedLossOptions> = { weights: true, reduction: true, labelSmoothing: true };

/** The option of its own, and the others. */
export function smoothing(options: SmoothedLossOptions): { labelSmoothing: number; rest: LossOptions } {
  checkOptions('options', options, names);
  const { labelSmoothing = 0, ...rest } = options;
  checkRange('labelSmoothing', labelSmoothing, 'a number in [0, 1]', (value) => value >= 0 && value <= 1);
  return { labelSmoothing, rest };
}
