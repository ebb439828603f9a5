// Calls on and on, while a host is lost.
import { mpi } from 'gradstep/mpi';

const communicator = await mpi.init({ warnAfter: 2, timeout: 4 });
const array = new Float32Array(1000);
communicator.allReduce(array);
console.log(`rank ${communicator.rank} has begun`);
for (;;) {
  communicator.allReduce(array);
  await new Promise((resolve) => setTimeout(resolve, 10));
}
