// How a job ends: the ways of one rank while the others call. argv: the way, the rank, and how others take it.
import { mpi, CommunicatorAborted } from 'gradstep/mpi';

const [way, who = '1', taking = 'leave'] = process.argv.slice(2);
const communicator = await mpi.init();
const { rank, size } = communicator;
const array = new Float32Array(1000).fill(1);
for (let step = 0; step < 20; step++) communicator.allReduce(array, { reductionType: 'MEAN' });
console.log(`rank ${rank} has begun`);

const ways = {
  normal() {},
  throw() {
    throw new Error('the disk is full');
  },
  reject() {
    void Promise.reject(new Error('the disk is full'));
    return new Promise((resolve) => setTimeout(resolve, 60_000));
  },
  exit() {
    process.exit(3);
  },
  exitCode() {
    process.exitCode = 4;
  },
  leave() {
    process.exit(0);
  },
  kill() {
    process.kill(process.pid, 'SIGKILL');
  },
  terminate() {
    process.kill(process.pid, 'SIGTERM');
    return new Promise((resolve) => setTimeout(resolve, 60_000));
  },
  crash() {
    process.abort();
  },
  stop() {
    process.kill(process.pid, 'SIGSTOP');
  },
  abort() {
    communicator.abort('there is no more data');
  },
  async finalize() {
    await communicator.finalize();
    try {
      communicator.barrier();
    } catch (error) {
      console.log(`rank ${rank}: ${error.name}: ${error.message}`);
    }
  },
};
const all = ['normal', 'finalize'].includes(way);
if (all || rank === Number(who) % size) {
  await new Promise((resolve) => setTimeout(resolve, 300));
  await ways[way]();
} else if (taking === 'throw') {
  for (;;) communicator.allReduce(array);
} else {
  try {
    for (;;) communicator.allReduce(array);
  } catch (error) {
    console.log(`rank ${rank}: ${error.name}: ${error.message}; ended rank ${error.endedRank}`);
    if (!(error instanceof CommunicatorAborted)) throw error;
  }
}
