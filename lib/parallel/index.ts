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
export { trainInWorkers, type StepReport, type TrainInWorkersOptions, type Training } from './training';
export type { Mode } from './protocol';
