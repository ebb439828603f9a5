import { SharedMemoryCommunicator, type CommunicatorHandle } from 'gradstep/parallel';
import { parentPort, workerData } from 'node:worker_threads';
import { inTurn, surroundings, trainCompiled } from './sharding-compiled';
import { programs as others } from './sharding-programs';
import type { Program } from './sharding-ranks';

const { program, order, rank, handle } = workerData as {
  program: Program;
  order: never;
  rank: number;
  handle: CommunicatorHandle;
};

const programs = { ...others, trainCompiled, compiledSurroundings: surroundings, compiledInTurn: inTurn };

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
