import { createGlobalStep, variable, Variable, type GlobalStep, type Optimizer } from 'gradstep';
import type { Training } from 'gradstep/parallel';
import { betas, createOptimizer, createVariables } from './model';

/** What a run is made of: weights, the optimizer's state and the number of steps, all in shared memory. */
export class Run {
  readonly variables: readonly Variable[];
  readonly optimizer: Optimizer;
  readonly globalStep: GlobalStep = createGlobalStep();
  /** All of it as variables, so that a snapshot has all of it, as it is between two steps. The weights come first. */
  readonly everything: readonly Variable[];

  constructor(private readonly settings: { readonly seed: number; readonly learningRate: number }) {
    this.variables = createVariables(settings.seed);
    this.optimizer = this.newOptimizer(this.globalStep);
    this.optimizer.createSlots(this.variables);
    // The counter has eight bytes, and so has a float64; a snapshot copies bytes, whatever they mean.
    const counter = Variable.over(new Float64Array(this.globalStep.buffer), { name: 'counter', trainable: false });
    this.everything = [...this.variables, ...this.optimizer.variables(), counter];
  }

  /** The optimizer's, for people. */
  get hyperparameters(): Readonly<Record<string, number>> {
    return { learningRate: this.settings.learningRate, ...betas };
  }

  /** Variables like the weights. */
  copies(): Variable[] {
    return this.variables.map(copyOf);
  }

  /** One with the same options, and no state yet. */
  newOptimizer(globalStep: GlobalStep): Optimizer {
    return createOptimizer(this.settings.learningRate, globalStep);
  }
}

const copyOf = ({ data, name, shape, trainable, dtype }: Variable): Variable =>
  variable(data, { name, shape, trainable, dtype });

/** A copy of a run, as it was after one whole step, whoever trains meanwhile. */
export class Mirror {
  /** The weights. */
  readonly variables: readonly Variable[];
  private readonly everything: readonly Variable[];

  constructor(private readonly run: Run) {
    this.everything = run.everything.map(copyOf);
    this.variables = this.everything.slice(0, run.variables.length);
  }

  /** Which step it is of. */
  get step(): number {
    const { buffer, byteOffset } = this.everything.at(-1)!.data;
    return Number(new BigInt64Array(buffer, byteOffset, 1)[0]);
  }

  /** Copies the run anew. @param training which workers change it, or did; null before any. */
  refresh(training: Training | null): void {
    if (training !== null) training.snapshot(this.everything);
    else this.everything.forEach((copy, i) => copy.assign(this.run.everything[i]!.data));
  }

  /** An optimizer whose state is the copy. */
  optimizer(globalStep: GlobalStep): Optimizer {
    const optimizer = this.run.newOptimizer(globalStep);
    const slots = this.everything.slice(this.run.variables.length, -1).flatMap((slot) => slot.state());
    optimizer.restore(slots, { variables: this.variables, adopt: true });
    return optimizer;
  }
}
