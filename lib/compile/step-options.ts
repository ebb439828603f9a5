import { checkAggregationMethod, type AggregationMethod } from '../autodiff/aggregate';
import { ExponentialMovingAverage } from '../averages/moving-average';
import { checkFunction, checkRange, shown } from '../checks';
import type { ProgramClip } from '../native';
import { checkOptions, type NamesOf } from '../options';
import { checkVarList, type Optimizer } from '../optimizers/optimizer';
import type { FloatArray } from '../tensor/dtype';
import { GlobalStep } from '../tensor/global-step';
import type { Tensor } from '../tensor/tensor';
import type { Variable } from '../tensor/variable';
import type { Inputs, TracedInputs } from './inputs';

/** How gradients are clipped between the way back and the update: in one of these ways. */
export type StepClip =
  /** As `clipByGlobalNorm` does. */
  | { readonly globalNorm: number }
  /** As `clipByValue` does, from the negative of it to itself. */
  | { readonly value: number }
  /** As `clipByNorm` does, each variable's gradient by itself. */
  | { readonly norm: number }
  /** As `clipByAverageNorm` does, each variable's gradient by itself. */
  | { readonly averageNorm: number };

export interface CompileStepOptions<I extends Inputs> {
  /** What each run is given: shape and dtype of each input, by name. */
  inputs: I;
  /** The loss of the inputs, with ops. Run once, while the step is compiled. */
  loss: (inputs: TracedInputs<I>) => Tensor;
  /** One of the package's optimizers, with a MixedPrecisionLossScaleOptimizer or a DistributedOptimizer around it, or both. */
  optimizer: Optimizer;
  /** Incremented after each step. */
  globalStep?: GlobalStep;
  /** Default: gradients are not clipped. */
  clip?: StepClip;
  /** What to differentiate by. Default: the trainable variables that the loss reads. */
  varList?: readonly Variable[];
  /** The gradient of the loss, of its shape; read anew in each run. Default: ones. */
  gradLoss?: Tensor | FloatArray;
  /** How gradient terms of what is used more than once are added. Default: ADD_N. */
  aggregationMethod?: AggregationMethod;
  /** Into how many parts of equal size a run cuts its inputs along their first dimension: the step is that of the mean of
   * their gradients, as with a GradientAccumulator, in the memory of one part. Default: the whole at once. */
  accumulate?: number;
  /** Moving averages of the variables that are stepped, updated after each step. */
  averages?: ExponentialMovingAverage;
}

const stepNames: NamesOf<CompileStepOptions<Inputs>> = {
  inputs: true,
  loss: true,
  optimizer: true,
  globalStep: true,
  clip: true,
  varList: true,
  gradLoss: true,
  aggregationMethod: true,
  accumulate: true,
  averages: true,
};

/** @throws TypeError, RangeError for options that are none. */
export function checkStepOptions(options: unknown): void {
  checkOptions('options', options, stepNames);
  const given = (options ?? {}) as { readonly [Name in keyof CompileStepOptions<Inputs>]?: unknown };
  checkFunction('loss', given.loss);
  const { globalStep, averages, accumulate, aggregationMethod } = given;
  if (globalStep !== undefined && !(globalStep instanceof GlobalStep)) {
    throw new TypeError(`globalStep must be a GlobalStep, got ${shown(globalStep)}`);
  }
  if (averages !== undefined && !(averages instanceof ExponentialMovingAverage)) {
    throw new TypeError(`averages must be an ExponentialMovingAverage, got ${shown(averages)}`);
  }
  if (accumulate !== undefined) {
    checkRange('accumulate', accumulate, 'a whole number from 1 to 65536', (n) => {
      return Number.isInteger(n) && n >= 1 && n <= 65536;
    });
  }
  if (aggregationMethod !== undefined) checkAggregationMethod(aggregationMethod);
  checkVarList(given.varList);
  clipOf(given.clip);
}

const clips: Readonly<Record<string, ProgramClip>> = {
  globalNorm: 'globalNorm',
  value: 'value',
  norm: 'norm',
  averageNorm: 'averageNorm',
};

/** @throws TypeError, RangeError for what is no way to clip. */
export function clipOf(clip: unknown): { kind: ProgramClip; by: number } {
  if (clip === undefined) return { kind: 'none', by: 0 };
  if (typeof clip !== 'object' || clip === null) throw new TypeError(`clip must be an object, got ${shown(clip)}`);
  const entries = Object.entries(clip as Record<string, unknown>);
  const [name = '', by] = entries[0] ?? [];
  if (entries.length !== 1 || !Object.hasOwn(clips, name)) {
    throw new TypeError(`clip must be one of { ${Object.keys(clips).join(' }, { ')} }`);
  }
  checkRange(`clip.${name}`, by, 'finite and positive', (x) => x > 0 && x < Infinity);
  return { kind: clips[name]!, by };
}
