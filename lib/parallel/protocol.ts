import type { FloatArray, GlobalStepHandle, OptimizerHandle, VariableHandle } from 'gradstep';
import type { CommunicatorHandle } from './shared-memory';

// What a training and its workers tell each other. Everything is under a key of ours: the port is the user's too.

/** How the workers' gradients become steps. */
export type Mode = 'synchronous' | 'asynchronous' | 'replicas';

/** What a worker starts from. */
export interface WorkerStart {
  readonly rank: number;
  readonly workers: number;
  readonly shares: number;
  readonly steps: number;
  readonly mode: Mode;
  readonly useLocking: boolean;
  readonly replicasToAggregate: number;
  /** How many threads share the work of this worker's kernels. */
  readonly threads: number;
  readonly variables: readonly VariableHandle[];
  readonly optimizer: OptimizerHandle;
  readonly globalStep: GlobalStepHandle;
  readonly board: BoardMemory;
  readonly data: unknown;
}

/** What all threads of a training look at. */
export interface BoardMemory {
  /** A lock and how many steps there have been: see `Commit`. */
  readonly guard: Int32Array;
  /** 1 where the training is to stop, and how many steps have been begun (asynchronous). */
  readonly words: Int32Array;
  /** The losses of the last steps, by their number. */
  readonly losses: Float64Array;
  /** Of replicas only. */
  readonly gathering: GatheringMemory | null;
}

/** What replicas gather: see `Gathering`. */
export interface GatheringMemory {
  readonly numbers: Float64Array;
  /** The sum of what has been gathered, for each variable that is trained. */
  readonly sums: readonly FloatArray[];
}

export const enum Word {
  Stop,
  Begun,
  Count,
}

/** As many losses are kept as a thread that is busy elsewhere may well miss. */
export const keptLosses = 2 ** 14;

export type ToWorker = { readonly go: number; readonly communicator: CommunicatorHandle | null };

export type FromWorker =
  | { readonly is: 'ready' }
  /** Some steps have been made. */
  | { readonly is: 'going' }
  /** It has left the communicator with this number, which was aborted. */
  | { readonly is: 'halted'; readonly go: number }
  | { readonly is: 'done' };

export const startKey = 'gradstep/parallel';

export function tagged<M>(message: M): object {
  return { [startKey]: message };
}

/** Our message in what a port gave; undefined for another's. */
export function untagged<M>(message: unknown): M | undefined {
  return typeof message === 'object' && message !== null ? (message as Record<string, M>)[startKey] : undefined;
}

/** How long ago that was, by `performance.now()`. */
export const secondsSince = (start: number): number => (performance.now() - start) / 1000;
