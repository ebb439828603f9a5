import { withScope } from '../autodiff/scope';
import { isFloatArray } from '../tensor/arrays';
import { sameShape } from '../tensor/shape';
import { aliasOfGiven, isTensor } from '../tensor/tensor';
import type { FloatArray } from '../tensor/dtype';
import { tracing } from '../tensor/trace';
import type { Variable } from '../tensor/variable';
import type { Recorder } from './recorder';

/** Notes the constraints. Returns whether that could be done: they may do what only JavaScript can. */
export function traceConstraints(recorder: Recorder, variables: readonly Variable[]): boolean {
  const { length } = recorder.tasks;
  recorder.canDraw = false;
  try {
    tracing(recorder, () =>
      withScope(
        () => {
          for (const { memory } of variables) recorder.read(memory);
          for (const variable of variables) traceConstraint(recorder, variable);
        },
        () => {},
      ),
    );
    return true;
  } catch {
    recorder.tasks.length = length;
    return false;
  } finally {
    recorder.end();
  }
}

function traceConstraint(recorder: Recorder, { constraint, value, shape, memory, size }: Variable): void {
  const result: unknown = constraint!(value.view(shape));
  const tensor = isFloatArray(result) ? aliasOfGiven(result, result.length === size ? shape : undefined) : result;
  // What `assign` refuses is refused by it, in a run.
  const fits = isTensor(tensor) && sameShape(tensor.shape, shape) && tensor.dtype === value.dtype;
  if (!fits) throw new TypeError('no value of the variable');
  recorder.store(memory, tensor.operand as FloatArray);
}
