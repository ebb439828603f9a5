/** @module gradstep/mpi */
export { broadcastState, checkSameState, CommunicatorAborted, DistributedOptimizer, partOf } from 'gradstep/parallel';
export type {
  Communicator,
  DistributedOptimizerOptions,
  OneOrMore,
  PendingCall,
  RootOptions,
  SumOptions,
  Transferable,
} from 'gradstep/parallel';
export { MpiCommunicator, type MpiHandle } from './communicator';
export type { MpiLibrary } from './library';
export * as mpi from './mpi';
export type { MpiOptions } from './options';
