/** @module gradstep/parallel */
export {
  CommunicatorAborted,
  partOf,
  type Communicator,
  type OneOrMore,
  type PendingCall,
  type RootOptions,
  type SumOptions,
  type Transferable,
} from './communicator';
export { broadcastState } from './distributed/broadcast-state';
export { checkSameState } from './distributed/check-same-state';
export { DistributedOptimizer } from './distributed/distributed-optimizer';
export type { DistributedOptimizerOptions } from './distributed/options';
export { SharedMemoryCommunicator, type CommunicatorHandle } from './shared-memory';
export {
  compiledReplica,
  defineReplica,
  type CompiledReplica,
  type CompiledReplicaOf,
  type MadeStep,
  type Replica,
  type ReplicaContext,
  type Share,
} from './replica';
export {
  trainInWorkers,
  type StepReport,
  type TrainInWorkersOptions,
  type Training,
  type WorkerThread,
} from './training';
export type { Mode } from './protocol';
