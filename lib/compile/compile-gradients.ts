import { AggregationMethod } from '../autodiff/aggregate';
import { sharedArrays } from '../tensor/arrays';
import type { FloatArray } from '../tensor/dtype';
import { Memory } from '../tensor/memory';
import type { Tensor } from '../tensor/tensor';
import type { Variable } from '../tensor/variable';
import { traceGradients } from './differentiation';
import { declaredInputs, tracedInputs, type Inputs, type RunInputs, type TracedInputs } from './inputs';
import { noTail } from './plan';
import { Recorder } from './recorder';
import { Runner } from './runner';

export interface CompileGradientsOptions<I extends Inputs> {
  readonly inputs: I;
  /** Run once. */
  readonly loss: (inputs: TracedInputs<I>) => Tensor;
  readonly variables: readonly Variable[];
  readonly aggregationMethod?: AggregationMethod;
  /** Where the gradients go: an array for each variable, of its dtype and size, over shared memory. Default: fresh ones. */
  readonly gradients?: readonly FloatArray[];
}

/**
 * The loss and the gradients of a list of variables in one native call, for whoever makes a step of them later. They are those of
 * this thread alone: whoever wants the mean over ranks exchanges them.
 */
export class CompiledGradients<I extends Inputs = Inputs> {
  /** The dense gradients, in the order of the variables; zeros where the loss does not depend on one. */
  readonly gradients: readonly FloatArray[];
  private readonly runner: Runner;

  constructor({ inputs, loss, variables, aggregationMethod, gradients }: CompileGradientsOptions<I>) {
    const recorder = new Recorder();
    const { traced, inputs: programInputs } = tracedInputs(declaredInputs(inputs, 1), recorder, 1);
    const found = traceGradients(recorder, {
      loss: () => loss(traced as TracedInputs<I>),
      variables,
      gradLoss: null,
      aggregationMethod: aggregationMethod ?? AggregationMethod.ADD_N,
      isScaled: false,
      isDense: true,
    });
    // Each is all of a value of its own, and so is computed where it goes.
    const outputs = found.gradients.map((gradient) => gradient!.ref.value);
    this.gradients = gradients ?? sharedArrays(variables);
    this.runner = new Runner({
      recorder,
      repetitions: 1,
      inputs: programInputs,
      outputs,
      before: recorder.tasks.length,
      results: outputs.map((value) => ({ value, offset: 0 })),
      loss: found.loss,
      lossLength: found.lossLength,
      tail: noTail,
    });
    this.gradients.forEach((array, i) => {
      const { dtype, size, name } = variables[i]!;
      const memory = Memory.of(array, dtype);
      if (memory.length !== size)
        throw new RangeError(`gradient of '${name}' has ${memory.length} elements, not ${size}`);
      this.runner.outputs[i] = memory;
    });
  }

  /** Loss, NaN and 1, of the last run, in shared memory. */
  get statistics(): Float64Array {
    return this.runner.statistics;
  }

  /** Writes the gradients. @returns the loss. @throws what `CompiledStep.runSync` throws for inputs. */
  runSync(inputs: RunInputs<I>): number {
    const { runner } = this;
    const fed = runner.feed(inputs);
    runner.drawing((drawn) => runner.run(fed, drawn));
    return this.statistics[0]!;
  }
}

/**
 * Compiles a loss and its gradients, without a step.
 * @internal
 */
export function compileGradients<const I extends Inputs>(options: CompileGradientsOptions<I>): CompiledGradients<I> {
  return new CompiledGradients<I>(options);
}
