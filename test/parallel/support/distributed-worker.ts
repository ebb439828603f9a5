import { SharedMemoryCommunicator, type CommunicatorHandle } from 'gradstep/parallel';
import { parentPort, workerData } from 'node:worker_threads';
import { programs } from './distributed';

interface Start {
  readonly program: string;
  readonly order: never;
  readonly rank: number;
  readonly handle: CommunicatorHandle;
}

const { program, order, rank, handle } = workerData as Start;
const communicator = SharedMemoryCommunicator.join(handle, rank);
try {
  parentPort!.postMessage({ result: programs[program]!(communicator, order) });
} catch (error) {
  const { name, message } = error as Error;
  parentPort!.postMessage({ error: `${name}: ${message}` });
}
