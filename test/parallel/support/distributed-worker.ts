import { SharedMemoryCommunicator, type CommunicatorHandle } from 'gradstep/parallel';
import { parentPort, workerData } from 'node:worker_threads';
import { programs } from './distributed';

const { rank, handle } = workerData as { rank: number; handle: CommunicatorHandle };
const communicator = SharedMemoryCommunicator.join(handle, rank);

async function run({ program, order }: { program: string; order: never }): Promise<object> {
  try {
    return { result: await programs[program]!(communicator, order) };
  } catch (error) {
    const { name, message } = error as Error;
    return { error: `${name}: ${message}` };
  }
}

parentPort!.on('message', (message: { program: string; order: never }) => {
  void run(message).then((outcome) => parentPort!.postMessage(outcome));
});
