import {
  IndexedSlices,
  internals,
  type ApplyGradientsOptions,
  type Gradient,
  type RuleOptimizer,
  type Variable,
} from 'gradstep';
import { CommunicatorAborted, type Communicator } from '../communicator';
import { agreed, attempt } from '../../step/agree';
import { Gather } from './gather';
import { ownGradient } from './gradients';
import type { Part, Parts } from './parts';

const { changedBy, Commit, Constraints, globalStepOf, storedValues } = internals;

/** A variable and what it is stepped with: its whole gradient, or this rank's part of it. */
export interface Stepped {
  readonly variable: Variable;
  readonly gradient: Gradient;
  readonly isOwn: boolean;
  /** Its part, where that has been looked up. */
  readonly part?: Part;
}

/** What is stepped, once it is known to be right; all user functions but schedules and constraints have been called. */
export type ToStep = () => readonly Stepped[];

/**
 * One step of all ranks, each of its parts: then all have the variables as one rank alone would have made them.
 * @param toStep what is to be stepped: what it throws, on any rank, is thrown with nothing changed on all.
 * @throws what `applyGradients` throws; Error where another rank could not make the step.
 */
export function shardedStep(
  optimizer: RuleOptimizer,
  parts: Parts,
  communicator: Communicator,
  toStep: ToStep,
  options: ApplyGradientsOptions | undefined,
): void {
  const tried = attempt(() => prepared(optimizer, parts, toStep, options));
  let made: Prepared;
  try {
    made = agreed(communicator, tried, 'the step');
  } catch (error) {
    if ('value' in tried) tried.value.end();
    throw error;
  }
  try {
    parts.adopt(made.parts);
    abortingOthers(communicator, () => made.step.run());
    abortingOthers(communicator, () => made.gather.make(communicator));
    made.constraints?.apply(() => {});
    made.step.publish();
  } finally {
    made.end();
  }
}

interface Prepared {
  readonly parts: readonly Part[];
  readonly gather: Gather;
  readonly step: ReturnType<RuleOptimizer['makeStep']>;
  readonly constraints: InstanceType<typeof Constraints> | null;
  end(): void;
}

function prepared(
  optimizer: RuleOptimizer,
  parts: Parts,
  toStep: ToStep,
  options: ApplyGradientsOptions | undefined,
): Prepared {
  if (Commit.open !== null) throw new Error('steps of several threads cannot be made with a sharded optimizer');
  const globalStep = options === undefined ? undefined : globalStepOf(options);
  const stepped = toStep();
  const planned = stepped.every(({ part }) => part !== undefined)
    ? stepped.map(({ part }) => part!)
    : [...parts.plan(stepped.map(({ variable }) => variable)).values()];
  const leased = stepped.map(({ gradient }) => storedValues(gradient).memory);
  leased.forEach((memory) => memory.lease());
  const endLeases = (): void => leased.forEach((memory) => memory.endLease());
  try {
    const gradients = stepped.map(({ gradient, isOwn }, i) => (isOwn ? gradient : ownGradient(gradient, planned[i]!)));
    const step = optimizer.makeStep({ gradients, variables: planned.map(({ own }) => own), missing: 0 }, globalStep);
    const constrained = planned.map(({ whole }) => whole).filter(({ constraint }) => constraint !== null);
    return {
      parts: planned,
      gather: new Gather(planned),
      step,
      constraints:
        constrained.length > 0 ? new Constraints(constrained, changedBy(optimizer.mechanism, planned)) : null,
      end: () => {
        step.end();
        endLeases();
      },
    };
  } catch (error) {
    endLeases();
    throw error;
  }
}

/** What only this rank cannot do ends the others' calls: they would wait for it. */
export function abortingOthers<T>(communicator: Communicator, run: () => T): T {
  try {
    return run();
  } catch (error) {
    const isAborted = error instanceof CommunicatorAborted;
    const reason = error instanceof Error ? error.message : String(error);
    if (!isAborted) communicator.abort(`rank ${communicator.rank} could not step its part: ${reason}`);
    throw error;
  }
}

/** Whether the gradient of a variable is sparse. */
export const isSparse = (gradient: Gradient | null): gradient is IndexedSlices => gradient instanceof IndexedSlices;
