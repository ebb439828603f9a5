// One rank does not come to a call: it is busy, or stopped.
import { mpi } from 'gradstep/mpi';

const [way, who = '1', warnAfter = '1', timeout = '600'] = process.argv.slice(2);
const communicator = await mpi.init({ warnAfter: Number(warnAfter), timeout: Number(timeout) });
const { rank, size } = communicator;
communicator.barrier();
communicator.barrier();
const isIt = rank === Number(who) % size;
if (isIt && way === 'busy') for (const end = Date.now() + 4000; Date.now() < end;);
if (isIt && way === 'lost') await new Promise((resolve) => setTimeout(resolve, 120_000));
if (isIt && way === 'stop') process.kill(process.pid, 'SIGSTOP');
try {
  communicator.allReduce(new Float32Array(10));
  console.log(`rank ${rank} has made it`);
} catch (error) {
  console.log(`rank ${rank}: ${error.name}: ${error.message}`);
  process.exitCode = 5;
}
if (isIt) process.exit();
