import { checkBoolean, checkNumber, checkRange, isNotNegative } from '../checks';
import { checkOptions, type NamesOf } from '../options';

/** What is told of a training step; what is left out is not counted. */
export interface StepObservation {
  /** Its number, as the program counts steps. */
  step?: number;
  /** How long it took. */
  seconds?: number;
  loss?: number;
  /** The global norm of its gradients. NaN without a `clipNorm` is none, as a compiled step has it that does not clip by it. */
  norm?: number;
  /** The norm that gradients are clipped to: the step counts as clipped where theirs is greater. */
  clipNorm?: number;
  /** How many examples it was made of. */
  examples?: number;
  /** Whether it was made: a loss scale may leave it out. Default: true. */
  applied?: boolean;
}

/** What is told of a checkpoint. */
export interface CheckpointObservation {
  /** How long saving took. */
  seconds?: number;
  /** How large it is. */
  bytes?: number;
}

const stepNames: NamesOf<StepObservation> = {
  step: true,
  seconds: true,
  loss: true,
  norm: true,
  clipNorm: true,
  examples: true,
  applied: true,
};
const checkpointNames: NamesOf<CheckpointObservation> = { seconds: true, bytes: true };

/** What was told, each looked at once: what of it is there is sound. */
type Checked<Observation> = { readonly [Name in keyof Observation]-?: Observation[Name] | undefined };

/** A step as it is counted. */
export type CheckedStep = Checked<StepObservation>;

/** @throws TypeError, RangeError for what cannot be told of a step. */
export function checkedStep(observation: StepObservation): CheckedStep {
  checkOptions('observation', observation, stepNames);
  const { step, seconds, loss, norm, clipNorm, examples, applied } = observation;
  if (step !== undefined) checkNumber('step', step);
  if (seconds !== undefined) checkNotNegative('seconds', seconds);
  if (loss !== undefined) checkNumber('loss', loss);
  if (norm !== undefined) checkNumber('norm', norm);
  if (clipNorm !== undefined) checkRange('clipNorm', clipNorm, 'positive', (n) => n > 0);
  if (examples !== undefined) checkNotNegative('examples', examples);
  if (applied !== undefined) checkBoolean('applied', applied);
  return { step, seconds, loss, norm, clipNorm, examples, applied };
}

/** @throws TypeError, RangeError for what cannot be told of a checkpoint. */
export function checkedCheckpoint(observation: CheckpointObservation): Checked<CheckpointObservation> {
  checkOptions('observation', observation, checkpointNames);
  const { seconds, bytes } = observation;
  if (seconds !== undefined) checkNotNegative('seconds', seconds);
  if (bytes !== undefined) checkNotNegative('bytes', bytes);
  return { seconds, bytes };
}

function checkNotNegative(name: string, value: number): void {
  checkRange(name, value, 'finite and not negative', isNotNegative);
}
