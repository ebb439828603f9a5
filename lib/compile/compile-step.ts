import { AggregationMethod } from '../autodiff/aggregate';
import { toGradY } from '../autodiff/gradients';
import type { ExponentialMovingAverage } from '../averages/moving-average';
import type { FloatArray } from '../tensor/dtype';
import type { GlobalStep } from '../tensor/global-step';
import type { Variable } from '../tensor/variable';
import { attempt, valueOf, type Attempt } from '../step/agree';
import { checkLendable } from '../step/loan';
import { namesOf } from '../step/pairs';
import { ProgramStep, type PreparedStep } from '../step/program-step';
import { checkQuiet, inTurn, type Key, type Turn } from '../step/turns';
import { FixedLossScale, type LossScale } from '../wrappers/loss-scale';
import { traceConstraints } from './constraints';
import { traceGradients, type Traced } from './differentiation';
import { declaredInputs, tracedInputs, type Inputs, type RunInputs, type TracedInputs } from './inputs';
import { stepsOf } from './optimizers';
import { checkThreads, type RankExchange } from './ranks';
import { Recorder } from './recorder';
import { Runner, type Fed, type Lent } from './runner';
import { programShards } from './sends';
import { checkStepOptions, clipOf, type CompileStepOptions } from './step-options';

/** What a run of a compiled step has found. */
export interface StepResult {
  /** The loss; the sum of its elements where it has several, the mean over the parts with `accumulate`. */
  readonly loss: number;
  /** The global norm of the gradients before they were clipped by it; NaN where they are clipped otherwise or not. */
  readonly norm: number;
  /** Whether the step was made: true, unless a loss scale left it out. */
  readonly applied: boolean;
}

/** A whole training step in one native call. Made by `compileStep`. */
export class CompiledStep<I extends Inputs = Inputs> {
  /** The variables that are stepped, in the order of `varList`. */
  readonly variables: readonly Variable[];
  private readonly runner: Runner;
  private readonly update: ProgramStep;
  private readonly isTraced: boolean;
  private readonly lossScale: LossScale | null;
  private readonly scale: FloatArray | null;
  private readonly exchange: RankExchange | null;
  /** How many there have been. */
  private exchanges = 0;
  private readonly checkInUse: () => void;
  private readonly turnKeys: () => Key[];
  private readonly globalStep: GlobalStep | undefined;
  private readonly averages: ExponentialMovingAverage | undefined;

  /** @internal Use `compileStep`. */
  constructor(options: CompileStepOptions<I>) {
    const { inputs, loss, accumulate, globalStep, averages } = options;
    const { optimizer, lossScale, exchange, unscalesFirst } = stepsOf(options.optimizer);
    optimizer.checkInUse();
    const parts = accumulate ?? 1;
    const recorder = new Recorder();
    const { traced, inputs: programInputs } = tracedInputs(declaredInputs(inputs, parts), recorder, parts);
    const found = traceGradients(recorder, {
      loss: () => loss(traced as TracedInputs<I>),
      variables: options.varList ?? null,
      gradLoss: toGradY('gradLoss', options.gradLoss),
      aggregationMethod: options.aggregationMethod ?? AggregationMethod.ADD_N,
      isScaled: lossScale !== null,
      isDense: false,
    });
    const { variables, gradients } = withGradients(found);
    const shards = exchange?.shards?.plan(variables) ?? null;
    this.update = new ProgramStep(optimizer.mechanism, variables, shards);
    const before = recorder.tasks.length;
    this.isTraced = traceConstraints(recorder, this.update.constrained);
    this.runner = new Runner({
      recorder,
      repetitions: parts,
      inputs: programInputs,
      outputs: [],
      before,
      results: [],
      loss: found.loss,
      lossLength: found.lossLength,
      tail: {
        gradients,
        clip: clipOf(options.clip),
        accumulates: accumulate !== undefined,
        checksFinite: lossScale !== null && !(lossScale instanceof FixedLossScale),
        hasStep: true,
        // What is accumulated is the sum of unscaled gradients.
        exchange: exchange && {
          ranks: exchange.size,
          fusionBytes: exchange.fusionBytes,
          unscalesFirst: unscalesFirst || accumulate !== undefined,
          shards: shards && programShards(exchange.shards!.rank, shards, recorder),
        },
      },
      exchange,
    });
    if (shards !== null) exchange!.shards!.adopt(shards);
    this.variables = variables;
    this.exchange = exchange;
    this.lossScale = lossScale;
    this.scale = found.scale;
    this.checkInUse = () => optimizer.checkInUse();
    const outer = options.optimizer;
    this.turnKeys = () => [
      ...outer.turnKeys(),
      ...(globalStep === undefined ? [] : [globalStep.buffer]),
      ...(averages === undefined ? [] : [averages]),
    ];
    this.globalStep = globalStep;
    this.averages = averages;
  }

  /**
   * Loss, global norm and whether the step was made (1 or 0) of the last run, as numbers in shared memory: other threads
   * can look at them.
   */
  get statistics(): Float64Array {
    return this.runner.statistics;
  }

  /**
   * One step, here and now: forward, backward, clipping and update. When it throws, nothing has changed.
   *
   * @param inputs a tensor or a typed array for each input; of int32 ones an Int32Array or a list of numbers.
   * @throws TypeError for an input of a wrong kind or dtype, RangeError for another shape, an index out of range or a
   * hyperparameter out of its, Error when a variable or the optimizer has been disposed of. With a DistributedOptimizer:
   * CommunicatorAborted when a rank is gone, RangeError when ranks run other steps, Error that says what one has thrown in place
   * of the step.
   */
  runSync(inputs: RunInputs<I>): StepResult {
    const { runner, averages } = this;
    runner.checkQuiet('this compiled step');
    if (averages !== undefined) checkQuiet(averages, () => `averages '${averages.name}'`);
    if (this.exchange === null) return this.step(this.feed(inputs));
    const fed = attempt(() => this.feed(inputs));
    this.compare(fed);
    runner.begin();
    try {
      return this.step(valueOf(fed));
    } catch (error) {
      runner.miss(error);
      throw error;
    }
  }

  private feed(inputs: RunInputs<I>): Fed {
    this.checkInUse();
    return this.runner.feed(inputs);
  }

  private step(fed: Fed): StepResult {
    const { runner, update } = this;
    return runner.drawing((drawn) => {
      const { step, table } = update.prepare(this.globalStep, this.isTraced);
      try {
        this.writeScale();
        runner.run(fed, drawn, table);
        return this.publish(step);
      } finally {
        step.end();
      }
    });
  }

  /**
   * One step off the event loop. Steps that use the same variables or the same optimizer follow each other, in the order of
   * the calls. What lies in shared memory is read where it lies, and must not be written meanwhile; other inputs are copied
   * before the call returns.
   *
   * @returns a promise of what `runSync` returns; it is rejected with what that throws, and with an Error for a variable
   * over a plain ArrayBuffer, which could be transferred meanwhile.
   */
  async run(inputs: RunInputs<I>): Promise<StepResult> {
    const { runner } = this;
    checkThreads(this.exchange?.here ?? 0);
    const lent = attempt(() => {
      const fed = this.feed(inputs);
      for (const variable of this.variables) checkLendable(variable);
      return runner.lend(fed);
    });
    if (this.exchange === null) valueOf(lent); // else the others are told, in its turn
    try {
      return await inTurn([...runner.keys, ...this.turnKeys()], (turn) => this.runInTurn(lent, turn));
    } finally {
      if ('value' in lent) lent.value.end();
    }
  }

  private async runInTurn(lent: Attempt<Lent>, turn: Turn): Promise<StepResult> {
    const { runner } = this;
    this.compare(lent);
    runner.begin();
    try {
      this.checkInUse();
      return await this.stepInTurn(valueOf(lent), turn);
    } catch (error) {
      await runner.missAsync(error);
      throw error;
    }
  }

  /** Compares state with other ranks, whatever has become of this one's inputs. @throws on all ranks or on none. */
  private compare(tried: Attempt<unknown>): void {
    try {
      this.exchange?.compare(this.variables, this.exchanges);
    } catch (error) {
      valueOf(tried);
      throw error;
    }
  }

  private stepInTurn(lent: Lent, turn: Turn): Promise<StepResult> {
    return this.runner.drawingAsync(async (drawn) => {
      const { step, table } = this.update.prepare(this.globalStep, this.isTraced);
      try {
        this.writeScale();
        await this.runner.runAsync(lent, drawn, step, table);
        return turn.inCharge(() => this.publish(step));
      } finally {
        step.end();
      }
    });
  }

  private writeScale(): void {
    const { lossScale, scale, runner } = this;
    if (lossScale === null) return;
    scale![0] = lossScale.value;
    runner.unscale = 1 / lossScale.value;
  }

  /** Makes seen what the program has done. */
  private publish(step: PreparedStep): StepResult {
    const { statistics, lossScale, averages } = this;
    this.exchanges++;
    const result = { loss: statistics[0]!, norm: statistics[1]!, applied: statistics[2] === 1 };
    if (result.applied) step.publish();
    lossScale?.advance(result.applied);
    if (result.applied) averages?.apply(this.variables);
    return result;
  }
}

/**
 * Compiles a training step: the loss is run once, to see of which ops it consists, and all of it, the way back, clipping
 * and the update, becomes a program that each run goes through in one native call. Its buffers are placed when it is
 * compiled: a run allocates nothing.
 *
 * The result is that of `computeGradients`, clipping and `applyGradients`, byte for byte. Variables, and tensors and typed
 * arrays that the loss uses, are read anew in each run; what JavaScript computes is computed once. A function of the
 * hyperparameters, a loss scale and the optimizer's powers are evaluated before each run, as for any step.
 *
 * @throws TypeError, RangeError for options that are none, Error for a loss that cannot be compiled, with the place where
 * it reads values (`data`, `item()`, `toArray()`) of what depends on inputs or variables; and what the loss throws.
 * @example
 * const step = compileStep({
 *   inputs: { x: { shape: [8, 1] } },
 *   loss: ({ x }) => ops.reduceMean(ops.square(ops.mul(x, w))),
 *   optimizer,
 *   clip: { globalNorm: 5 },
 * });
 * const { loss: value, norm } = step.runSync({ x: new Float32Array(8) });
 */
export function compileStep<const I extends Inputs>(options: CompileStepOptions<I>): CompiledStep<I> {
  checkStepOptions(options);
  return new CompiledStep<I>(options);
}

/** The variables that have gradients. @throws Error where there is none, or one that its variable cannot take. */
function withGradients({ variables, gradients }: Traced) {
  const stepped = variables.filter((_, i) => gradients[i] !== null);
  if (stepped.length === 0) {
    const names =
      variables.length === 0 ? 'it reads no trainable variable' : `it depends on none of ${namesOf(variables)}`;
    throw new Error(`No gradients provided for any variable of the loss: ${names}.`);
  }
  const present = gradients.filter((gradient) => gradient !== null);
  stepped.forEach(({ name, constraint }, i) => {
    if (present[i]!.rows === null || constraint === null) return;
    throw new Error(`gradient of '${name}' is sparse, but the variable has a constraint: it needs a dense gradient`);
  });
  return { variables: stepped, gradients: present };
}
