import { binaryFunction } from '../native';
import { refsOf, type Ref, type Task, type Value } from './values';

/** The option of a pool's gradient that is rectified too (native/drivers/tasks/convolution.h). */
const ofRelu = 2;

interface Numbered {
  readonly task: Task;
  readonly at: number;
}

const same = (a: Ref | null, b: Ref | null): boolean =>
  a !== null && b !== null && a.value === b.value && a.offset === b.offset;

/**
 * The tasks with the gradient of a relu made part of the pool's behind it, where nothing but that reads the pool's: a window's
 * largest element is the one that gets a gradient, and is what tells whether it passes the relu. So a pass over the images is
 * spared, with the same bytes.
 *
 * @param results what else is read.
 */
export function rectifiedPools(tasks: readonly Numbered[], results: readonly Ref[]): Numbered[] {
  const uses = new Map<Value, number>();
  for (const { value } of [...tasks.flatMap(({ task }) => refsOf(task)), ...results]) {
    uses.set(value, (uses.get(value) ?? 0) + 1);
  }
  const merged: Numbered[] = [];
  for (const { task, at } of tasks) {
    const before = merged.at(-1)?.task;
    if (before !== undefined && isReluOfPool(before, task) && uses.get(before.arrays[0]!.value) === 2) {
      merged.pop();
      merged.push({ task: { ...before, option: ofRelu, arrays: [task.arrays[0]!, ...before.arrays.slice(1)] }, at });
    } else {
      merged.push({ task, at });
    }
  }
  return merged;
}

/** Whether one task is the gradient of a largest-element pool, all of it, and the next one that of a relu in front of it. */
function isReluOfPool(pool: Task, relu: Task): boolean {
  const isPool = pool.kind === 'poolGradient' && pool.option === 0;
  const isRelu = relu.kind === 'binary' && relu.option === binaryFunction.reluGradient;
  if (!isPool || !isRelu) return false;
  const [dx, , x] = pool.arrays;
  const [, y, dy] = relu.arrays;
  return same(dx!, dy!) && same(x!, y!) && dx!.value.length === relu.sizes[0];
}
