import { drawn } from '../autodiff/replay';
import type { Tensor } from '../tensor/tensor';
import { refuseInTrace, trace } from '../tensor/trace';
import type { Variable } from '../tensor/variable';
import { binary, scaled } from './primitives';

/**
 * variable ← variable - (variable - value) (1 - momentum), here and now or in each run of what is compiled. No gradient
 * flows.
 *
 * @param value of the variable's shape and dtype.
 * @throws Error in what is compiled for a variable over memory that could be taken away meanwhile.
 */
export function moveToward(variable: Variable, value: Tensor, momentum: number): void {
  drawn(() => move(variable, value, momentum)); // once, though a checkpointed function runs twice
}

function move(variable: Variable, value: Tensor, momentum: number): void {
  const { memory } = variable;
  if (trace !== null) {
    if (!memory.canBeLent) refuseInTrace(`moving variable '${variable.name}', whose memory is no SharedArrayBuffer,`);
    trace.read(memory);
  }
  const { value: old } = variable;
  const moved = binary('subtract', old, scaled(binary('subtract', old, value), 1 - momentum));
  if (trace === null) variable.assign(moved);
  else trace.store(memory, moved.operand);
}
