/** @module gradstep/mpi */
export { CommunicatorAborted, partOf } from 'gradstep/parallel';
export type { Communicator, OneOrMore, PendingCall, RootOptions, SumOptions, Transferable } from 'gradstep/parallel';
export { MpiCommunicator, type MpiHandle } from './communicator';
export type { MpiLibrary } from './library';
export { mpi, type MpiOptions } from './mpi';
