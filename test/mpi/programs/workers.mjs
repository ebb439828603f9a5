// Threads of each rank that call for it, and threads that end in the middle of a call.
import { once } from 'node:events';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import { mpi, MpiCommunicator } from 'gradstep/mpi';

if (!isMainThread) {
  const { handle, way } = workerData;
  const communicator = MpiCommunicator.join(handle);
  if (way === 'calls') {
    for (let step = 1; step <= 20; step++) {
      const array = Float64Array.of(communicator.rank + step);
      communicator.allReduce(array);
      if (array[0] !== (communicator.size * (communicator.size - 1)) / 2 + step * communicator.size)
        throw new Error('wrong');
    }
    try {
      await mpi.init();
    } catch (error) {
      parentPort.postMessage(error.message);
    }
  } else {
    parentPort.postMessage('waiting');
    if (way === 'begins') communicator.startAllReduce(new Float32Array(new SharedArrayBuffer(64)));
    else communicator.barrier();
    setInterval(() => {}, 1000);
  }
} else {
  const [way = 'calls'] = process.argv.slice(2);
  const communicator = await mpi.init();
  const { rank } = communicator;
  if (way === 'calls' || rank === 0) {
    const worker = new Worker(new URL(import.meta.url), { workerData: { handle: communicator.share(), way } });
    const [message] = await once(worker, 'message');
    console.log(`rank ${rank}: ${message}`);
    if (way === 'calls') await once(worker, 'exit');
    else await new Promise((resolve) => setTimeout(resolve, 200));
    await worker.terminate();
    console.log(`rank ${rank}: terminated`);
  }
  try {
    if (way !== 'calls' && rank !== 0) await new Promise((resolve) => setTimeout(resolve, 1000));
    communicator.barrier();
    console.log(`rank ${rank}: met`);
  } catch (error) {
    console.log(`rank ${rank}: ${error.name}: ${error.message}; ended rank ${error.endedRank}`);
  }
}
