import { CommunicatorAborted, SharedMemoryCommunicator, type CommunicatorHandle } from 'gradstep/parallel';
import { parentPort, workerData } from 'node:worker_threads';
import { programs } from './ranks';

export interface RankOrder {
  readonly program: string;
  readonly rank: number;
  readonly handle: CommunicatorHandle;
}

const { program, rank, handle } = workerData as RankOrder;
const communicator = SharedMemoryCommunicator.join(handle, rank);
try {
  parentPort!.postMessage({ result: programs[program]!(communicator) });
} catch (error) {
  const { name, message } = error as Error;
  const endedRank = error instanceof CommunicatorAborted ? error.endedRank : undefined;
  parentPort!.postMessage({ error: `${name}: ${message}`, endedRank });
}
