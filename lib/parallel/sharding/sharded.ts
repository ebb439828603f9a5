import {
  IndexedSlices,
  internals,
  type ApplyGradientsOptions,
  type Gradient,
  type GradientAndVariable,
  type Optimizer,
  type RuleOptimizer,
  type StepClip,
  type Variable,
} from 'gradstep';
import { shown } from '../../checks';
import type { Shards } from '../../step/sharding';
import type { Communicator, SumOptions } from '../communicator';
import { clippedParts } from './clip';
import { Parts, type Part } from './parts';
import { ShardedState } from './state';
import { abortingOthers, isSparse, shardedStep, type Stepped } from './step';
import { PartSums, type Term } from './sums';

const { isRuleOptimizer, readPairs, spend, storedValues, updatesOf } = internals;

/** A variable and the gradient that this rank has of it; of a sparse one what all ranks together have. */
export interface Averaged {
  readonly variable: Variable;
  /** null counts as zeros. */
  readonly gradient: Gradient | null;
}

/** An optimizer whose slots are divided by ranks: each keeps and steps its part of every variable (ZeRO, stage 1). */
export class Sharded {
  readonly state: ShardedState;
  /** What compiled steps divide by. */
  readonly shards: Shards;
  private readonly optimizer: RuleOptimizer;
  private readonly parts: Parts;
  private readonly sums: PartSums;

  /** @throws TypeError for an optimizer that has steps of its own making. */
  constructor(
    optimizer: Optimizer,
    private readonly communicator: Communicator,
    fusionBytes: number,
    sum: SumOptions,
  ) {
    if (!isRuleOptimizer(optimizer)) {
      throw new TypeError(
        `shardState takes one of the package's optimizers as it is, got ${shown(optimizer)}: put wrappers around the DistributedOptimizer`,
      );
    }
    this.optimizer = optimizer;
    const parts = new Parts(optimizer, communicator.rank, communicator.size);
    this.parts = parts;
    this.shards = {
      rank: communicator.rank,
      plan: (variables) => [...parts.plan(variables).values()],
      adopt: (shards) => parts.adopt(shards as readonly Part[]), // which are of `plan`
    };
    this.sums = new PartSums(communicator, fusionBytes, sum);
    this.state = new ShardedState(optimizer, this.parts, communicator);
  }

  /** A step of gradients that are the same on all ranks. */
  applyGradients(gradsAndVars: Iterable<GradientAndVariable>, options: ApplyGradientsOptions | undefined): void {
    const toSpend: Gradient[] = [];
    const toStep = (): Stepped[] => {
      return updatesOf(readPairs(gradsAndVars)).map(({ variable, values, indices }) => {
        const gradient = indices === undefined ? values : new IndexedSlices(values, indices, variable.shape);
        toSpend.push(gradient);
        return { variable, gradient, isOwn: false };
      });
    };
    shardedStep(this.optimizer, this.parts, this.communicator, toStep, options);
    for (const gradient of toSpend) spend(storedValues(gradient).memory);
  }

  /**
   * A step of the means of the ranks' gradients: of dense ones each rank gets the mean of its parts only.
   * @param averaged the same variables on all ranks, sparse where they are sparse there.
   */
  applyMeans(
    averaged: readonly Averaged[],
    clip: StepClip | undefined,
    options: ApplyGradientsOptions | undefined,
  ): void {
    const { communicator } = this;
    const parts = this.parts.plan(averaged.map(({ variable }) => variable));
    const clipped = abortingOthers(communicator, () => this.clippedMeans(averaged, parts, clip));
    const toStep = (): Stepped[] => {
      return averaged.map(({ variable, gradient }, i) => {
        return { variable, gradient: clipped[i]!, isOwn: !isSparse(gradient), part: parts.get(variable)! };
      });
    };
    shardedStep(this.optimizer, this.parts, communicator, toStep, options);
    for (const { gradient } of averaged) if (gradient !== null) spend(storedValues(gradient).memory);
  }

  private clippedMeans(
    averaged: readonly Averaged[],
    parts: ReadonlyMap<Variable, Part>,
    clip: StepClip | undefined,
  ): readonly Gradient[] {
    const terms = averaged.flatMap(({ variable, gradient }): Term[] => {
      return isSparse(gradient) ? [] : [{ part: parts.get(variable)!, values: gradient }];
    });
    const means = this.sums.means(terms);
    let next = 0;
    const summands = averaged.map(({ variable, gradient }) => {
      return { part: parts.get(variable)!, gradient: isSparse(gradient) ? gradient : means[next++]! };
    });
    return clippedParts(this.communicator, summands, clip);
  }

  /** Makes the slots of the parts of these variables. */
  createSlots(variables: readonly Variable[]): void {
    const planned = [...this.parts.plan(variables).values()];
    this.optimizer.createSlots(planned.map(({ own }) => own));
    this.parts.adopt(planned);
  }

  /** The slot of what is here of a variable, or null. */
  getSlot(variable: Variable, name: string): Variable | null {
    const part = this.parts.find(variable);
    return part === undefined ? null : this.optimizer.getSlot(part.own, name);
  }

  /** Which elements of a variable are here; null where it has not been divided yet. */
  rangeOf(variable: Variable): readonly [begin: number, end: number] | null {
    return this.parts.find(variable)?.range ?? null;
  }
}
