import { SharedMemoryCommunicator, type CommunicatorHandle } from 'gradstep/parallel';
import { parentPort, workerData } from 'node:worker_threads';
import { programs } from './ranks';

interface Start {
  readonly program: string;
  readonly order: never;
  readonly rank: number;
  readonly handle: CommunicatorHandle;
}

const { program, order, rank, handle } = workerData as Start;
const communicator = SharedMemoryCommunicator.join(handle, rank);
const tell = (steps: number) => parentPort!.postMessage({ steps });
Promise.resolve()
  .then(() => programs[program]!(communicator, order, tell))
  .then(
    (result) => parentPort!.postMessage({ result }),
    (error: Error) => {
      SharedMemoryCommunicator.abort(handle, `rank ${rank} has failed: ${error.message}`);
      parentPort!.postMessage({ error: `${error.name}: ${error.message}` });
    },
  );
