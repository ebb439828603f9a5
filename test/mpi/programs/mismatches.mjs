// What ranks bring does not fit together: all are told the same, nothing has changed, and they go on.
import { mpi } from 'gradstep/mpi';

const communicator = await mpi.init();
const { rank, size } = communicator;
const last = size - 1;
const f = (n) => new Float32Array(n).fill(rank + 1);
const cases = {
  length: () => communicator.allReduce(f(rank === last ? 6 : 5)),
  kind: () => communicator.allReduce(rank === last ? new Float64Array(5) : f(5)),
  arrays: () => communicator.allReduce(rank === last ? [f(5), f(5)] : [f(5)]),
  call: () => (rank === last ? communicator.barrier() : communicator.allReduce(f(5))),
  root: () => communicator.broadcast(f(5), { root: rank === last ? last : 0 }),
  mean: () => communicator.allReduce(f(5), { reductionType: rank === last ? 'MEAN' : 'SUM' }),
  part: () => communicator.reduceScatter(f(10 * size), f(rank === last ? 9 : 10)),
  gathered: () => communicator.allGather(f(5), f(rank === last ? 1 : 5 * size)),
  reduced: () => communicator.reduce([[f(5)]], [f(rank === 0 ? 4 : 5)]),
  wholes: () => communicator.allReduce(new Int32Array(5)),
};
for (const [name, call] of Object.entries(cases)) {
  try {
    call();
    console.log(`${name} rank ${rank}: nothing`);
  } catch (error) {
    console.log(`${name} rank ${rank}: ${error.name}: ${error.message}`);
  }
}
const unchanged = f(4);
try {
  communicator.allReduce([unchanged, f(rank === last ? 1 : 2)]);
} catch (error) {
  console.log(`several rank ${rank}: ${error.name}: ${error.message}`);
}
if (unchanged.some((value) => value !== rank + 1)) throw new Error('something has changed');
const after = f(3);
communicator.allReduce(after);
console.log(`after rank ${rank}: ${after.join()}`);
