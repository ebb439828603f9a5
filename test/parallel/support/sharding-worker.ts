import { SharedMemoryCommunicator, type CommunicatorHandle } from 'gradstep/parallel';
import { parentPort, workerData } from 'node:worker_threads';
import { programs, type Program } from './sharding-programs';

const { program, order, rank, handle } = workerData as {
  program: Program;
  order: never;
  rank: number;
  handle: CommunicatorHandle;
};

process.emitWarning = () => undefined; // of checkpoints that are damaged

async function run(): Promise<void> {
  const communicator = SharedMemoryCommunicator.join(handle, rank);
  try {
    parentPort!.postMessage({ result: await programs[program](communicator, order) });
  } catch (error) {
    communicator.abort(String(error));
    const { name, message } = error as Error;
    parentPort!.postMessage({ error: `${name}: ${message}` });
  }
}
void run();
