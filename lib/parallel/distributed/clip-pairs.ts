import {
  clipByAverageNorm,
  clipByGlobalNorm,
  clipByNorm,
  clipByValue,
  internals,
  type Gradient,
  type GradientAndVariable,
  type GradientsAndVariables,
  type StepClip,
} from 'gradstep';

const { clipOf } = internals;

/** The pairs clipped in one of the ways that there are of clipping in a step. */
export function clippedPairs(pairs: GradientsAndVariables, clip: StepClip | undefined): readonly GradientAndVariable[] {
  const { kind, by } = clipOf(clip);
  if (kind === 'none') return pairs;
  if (kind === 'globalNorm') return clipByGlobalNorm(pairs, by)[0];
  const clipOne = (gradient: Gradient): Gradient => {
    if (kind === 'value') return clipByValue(gradient, -by, by);
    return kind === 'norm' ? clipByNorm(gradient, by) : clipByAverageNorm(gradient, by);
  };
  return pairs.map(([gradient, variable]) => [gradient && clipOne(gradient), variable]);
}
