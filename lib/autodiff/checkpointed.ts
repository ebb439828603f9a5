import { checkFunction, shown } from '../checks';
import { storedValues, type Gradient } from '../tensor/indexed-slices';
import { checkFloats, isTensor, type Tensor } from '../tensor/tensor';
import type { Variable } from '../tensor/variable';
import { AggregationMethod } from './aggregate';
import { ownMemory, walkBack } from './gradients';
import { noting } from './replay';
import { inScope, withScope } from './scope';
import { isRecording, record, recording, recordingVariablesOnly, toTensor, type TensorLike } from './tape';
import { refuse, wayBack } from './way-back';

/**
 * The same function, whose intermediate values are not kept for the way back but computed once more there: a layer then
 * takes the memory of its inputs and output, and its forward pass twice the time.
 *
 * The value and the gradients are the same, bit for bit, unless what `f` uses is used outside of it too: then gradients are
 * added up in another order. Random numbers drawn in `f`, by `ops.dropout` for one, are drawn once.
 *
 * @param f computes a tensor from its inputs and from variables; it does the same each time it is run.
 * @returns the function. It throws what `f` throws, a TypeError when that returns no tensor, and an Error where gradients of
 * gradients are asked for.
 * Source: "Training deep nets with sublinear memory cost" (Chen et al., 2016), `tf.recompute_grad`.
 * @example
 * const layer = checkpointed((x) => ops.relu(ops.matMul(x, w)));
 */
export function checkpointed<Inputs extends readonly TensorLike[] = TensorLike[]>(
  f: (...inputs: { [I in keyof Inputs]: Tensor }) => Tensor,
): (...inputs: Inputs) => Tensor {
  checkFunction('f', f);
  return (...inputs) => {
    const given = inputs.map((input, i) => toTensor(`input ${i}`, input));
    const run = (): Tensor => checked(f(...(given as { [I in keyof Inputs]: Tensor })));
    if (!isRecording()) return run();
    const { result, again } = noting(() => withoutKeeping(run));
    const sources = [...new Set([...given, ...result.variables.map(({ value }) => value)])];
    return record(sources, result.value, (dy, needed) => {
      if (wayBack !== null) refuse();
      const wanted = sources.filter((_, i) => needed[i]);
      const found = again(() => gradientsOf(run, wanted, dy));
      return sources.map((source) => found.get(source) ?? null);
    });
  };
}

function checked(value: unknown): Tensor {
  if (!isTensor(value)) throw new TypeError(`f must return a Tensor, got ${shown(value)}`);
  checkFloats('value of f', value);
  return value;
}

/** Its value, in memory that nothing else has, and the trainable variables that it reads. */
function withoutKeeping(f: () => Tensor): { value: Tensor; variables: Variable[] } {
  return withScope(
    () => {
      const { result, variables } = recordingVariablesOnly(f);
      return { value: inScope(result.view(result.shape)), variables };
    },
    ({ value }, escape) => escape(value),
    { gives: true },
  );
}

function gradientsOf(f: () => Tensor, sources: readonly Tensor[], dy: Tensor): Map<Tensor, Gradient | null> {
  return recording(sources, (tape) =>
    withScope(
      () => {
        const found = ownMemory(walkBack(tape, f(), dy, sources, AggregationMethod.ADD_N));
        return new Map(sources.map((source, i) => [source, found[i]!]));
      },
      (found, escape) => {
        for (const gradient of found.values()) if (gradient !== null) escape(storedValues(gradient));
      },
      { gives: true },
    ),
  );
}
