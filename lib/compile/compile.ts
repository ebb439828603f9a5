import { allocate, withScope } from '../autodiff/scope';
import { checkFunction, shown } from '../checks';
import { checkOptions, type NamesOf } from '../options';
import { Memory } from '../tensor/memory';
import type { Shape } from '../tensor/shape';
import { isTensor, Tensor, type AnyTensor } from '../tensor/tensor';
import { tracing } from '../tensor/trace';
import { inTurn } from '../step/turns';
import { declaredInputs, tracedInputs, type Inputs, type RunInputs, type TracedInputs } from './inputs';
import { noTail } from './plan';
import { Recorder } from './recorder';
import { Runner } from './runner';
import type { Value } from './values';

/** What a function that is compiled may return: a tensor, or several in an array or an object. */
export type Outputs = AnyTensor | readonly AnyTensor[] | { readonly [name: string]: AnyTensor };

export interface CompileOptions<I extends Inputs> {
  /** What each run is given: shape and dtype of each input, by name. */
  inputs: I;
}

const compileNames: NamesOf<CompileOptions<Inputs>> = { inputs: true };

interface Output {
  readonly value: Value;
  readonly shape: Shape;
}

/** A function of tensors in one native call. Made by `compile`. */
export class Compiled<I extends Inputs = Inputs, R extends Outputs = Outputs> {
  private readonly runner: Runner;
  private readonly outputs: readonly Output[];
  private readonly form: (tensors: readonly AnyTensor[]) => R;

  /** @internal Use `compile`. */
  constructor(f: (inputs: TracedInputs<I>) => R, inputs: I) {
    const recorder = new Recorder();
    const { traced, inputs: programInputs } = tracedInputs(declaredInputs(inputs, 1), recorder, 1);
    const { outputs, form } = traceOutputs(recorder, () => f(traced as TracedInputs<I>));
    this.outputs = outputs;
    this.form = form;
    this.runner = new Runner({
      recorder,
      repetitions: 1,
      inputs: programInputs,
      outputs: outputs.map(({ value }) => value),
      before: recorder.tasks.length,
      results: outputs.map(({ value }) => ({ value, offset: 0 })),
      loss: null,
      lossLength: 0,
      tail: noTail,
    });
  }

  /**
   * What the function gives for these inputs, in memory of its own: the open scope's, if there is one.
   *
   * @param inputs a tensor or a typed array for each input; of int32 ones an Int32Array or a list of numbers.
   * @throws TypeError for an input of a wrong kind or dtype, RangeError for another shape or an index out of range, Error
   * when a variable that the function reads has been disposed of.
   */
  runSync(inputs: RunInputs<I>): R {
    const { runner } = this;
    runner.checkQuiet('this compiled function');
    const fed = runner.feed(inputs);
    const tensors = this.outputs.map(({ value, shape }) => allocate(value.dtype, shape, value.length));
    this.setOutputs(tensors);
    runner.drawing((drawn) => runner.run(fed, drawn));
    return this.form(tensors);
  }

  /**
   * The same off the event loop. It waits for steps off the event loop that use the variables it reads, so that it sees
   * these as they are between two steps. Inputs in shared memory are read where they lie, and must not be written
   * meanwhile; others are copied before the call returns.
   *
   * @returns a promise of what `runSync` returns, in no scope: it is yours to dispose of, or the garbage collector's. It is
   * rejected with what `runSync` throws.
   */
  async run(inputs: RunInputs<I>): Promise<R> {
    const { runner } = this;
    const lent = runner.lend(runner.feed(inputs));
    try {
      return await inTurn(runner.keys, async () => {
        const tensors = this.outputs.map(({ value: { dtype, length }, shape }) => {
          return new Tensor(Memory.take(dtype, length), shape);
        });
        this.setOutputs(tensors);
        await runner.drawingAsync((drawn) => runner.runAsync(lent, drawn, tensors));
        return this.form(tensors);
      });
    } finally {
      lent.end();
    }
  }

  private setOutputs(tensors: readonly AnyTensor[]): void {
    tensors.forEach(({ memory }, i) => (this.runner.outputs[i] = memory));
  }
}

/**
 * Compiles a function of tensors, a model's pass forward for one: it is run once, to see of which ops it consists, and
 * becomes a program that each run goes through in one native call. Variables, and tensors and typed arrays that it uses,
 * are read anew in each run; what JavaScript computes is computed once.
 *
 * @param f returns a tensor, or several in an array or an object.
 * @throws TypeError, RangeError for what is no function or declares no inputs, Error for a function that cannot be
 * compiled, with the place where it reads values (`data`, `item()`, `toArray()`) of what depends on inputs or variables;
 * and what `f` throws.
 * @example
 * const predict = compile(({ x }) => ops.softmax(ops.matMul(x, w)), { inputs: { x: { shape: [1, 784] } } });
 * const probabilities = predict.runSync({ x: new Float32Array(784) });
 */
export function compile<const I extends Inputs, R extends Outputs>(
  f: (inputs: TracedInputs<I>) => R,
  options: CompileOptions<I>,
): Compiled<I, R> {
  checkFunction('f', f);
  checkOptions('options', options, compileNames);
  return new Compiled<I, R>(f, (options as Partial<CompileOptions<I>> | undefined)?.inputs as I);
}

/** Notes the function, and copies what it returns to where outputs go. */
function traceOutputs<R extends Outputs>(
  recorder: Recorder,
  f: () => R,
): { outputs: Output[]; form: (tensors: readonly AnyTensor[]) => R } {
  try {
    return tracing(recorder, () =>
      withScope(
        () => {
          const result: unknown = f();
          const tensors = tensorsOf(result);
          const keys = Object.keys(result as object);
          const form = (made: readonly AnyTensor[]): unknown => {
            if (isTensor(result)) return made[0];
            if (Array.isArray(result)) return made;
            return Object.fromEntries(keys.map((key, i) => [key, made[i]!]));
          };
          return { outputs: tensors.map((tensor) => outputOf(recorder, tensor)), form: form as () => R };
        },
        () => {},
        { holdsAll: true },
      ),
    );
  } finally {
    recorder.end();
  }
}

function tensorsOf(result: unknown): AnyTensor[] {
  if (isTensor(result)) return [result];
  const isPlain = typeof result === 'object' && result !== null && !(result instanceof Promise);
  const all: unknown[] = isPlain && !ArrayBuffer.isView(result) ? Object.values(result) : [];
  const other = all.find((one) => !isTensor(one));
  if (all.length > 0 && other === undefined) return all as AnyTensor[];
  throw new TypeError(
    `f must return a Tensor, or Tensors in an array or an object, got ${shown(all.length > 0 ? other : result)}`,
  );
}

function outputOf(recorder: Recorder, tensor: AnyTensor): Output {
  const memory = Memory.take(tensor.dtype, tensor.size);
  recorder.kernels.copy(memory.operand, tensor.operand);
  return { value: recorder.ref(memory.operand).value, shape: tensor.shape };
}
