// A worker that lays weights out as fast as it can: all of them the number of the step.
import { parentPort, workerData } from 'node:worker_threads';
import { Variable, type VariableHandle } from 'gradstep';
import { show, type ShownMemory } from '../../examples/server/shown';

const { memory, handles } = workerData as { memory: ShownMemory; handles: VariableHandle[] };
const variables = handles.map((handle) => Variable.from(handle));
parentPort!.postMessage('begun');
for (let step = 1; ; step++) {
  for (const { data } of variables) data.fill(step);
  show(memory, variables, step);
}
