import {
  clipByAverageNorm,
  clipByGlobalNorm,
  clipByNorm,
  clipByValue,
  IndexedSlices,
  internals,
  type Gradient,
  type StepClip,
} from 'gradstep';
import type { Communicator } from '../communicator';
import { blockSums, globalNormOf, normOf, type Summand } from './norms';

const { clipOf, clipTogether, timesFactor } = internals;

/**
 * The gradients clipped as the functions of that name clip whole ones: of dense ones the parts that are here.
 * @param gradients the same list on all ranks.
 */
export function clippedParts(
  communicator: Communicator,
  summands: readonly Summand[],
  clip: StepClip | undefined,
): readonly Gradient[] {
  const { kind, by } = clipOf(clip);
  const gradients = summands.map(({ gradient }) => gradient);
  if (kind === 'none') return gradients;
  if (kind === 'value') return gradients.map((gradient) => clipByValue(gradient, -by, by));
  const sums = blockSums(communicator, summands);
  if (kind === 'globalNorm') {
    return clipByGlobalNorm(gradients, by, { useNorm: globalNormOf(sums, summands) })[0];
  }
  return summands.map(({ part, gradient }, i) => {
    if (gradient instanceof IndexedSlices)
      return kind === 'norm' ? clipByNorm(gradient, by) : clipByAverageNorm(gradient, by);
    const norm = normOf(sums[i]!);
    if (kind === 'norm') return timesFactor(gradient, by / Math.max(norm, by));
    return clipTogether([gradient], [gradient], norm, part.whole.size, by, {}, 'norm')[0] as Gradient;
  });
}
