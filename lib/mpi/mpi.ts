import { isMainThread } from 'node:worker_threads';
import { checkBoolean, checkRange, shown } from '../checks';
import { native } from '../native';
import { checkOptions, type NamesOf } from '../options';
import { MpiCommunicator } from './communicator';
import { endWithProcess } from './ends';

export interface MpiOptions {
  /**
   * After how many seconds of waiting in a call it is said on standard error who keeps it waiting: which ranks do not answer, and
   * which do and have not made the call. Default: 60.
   */
  warnAfter?: number;
  /**
   * After how many seconds of waiting it is over: where all ranks answer, with CommunicatorAborted on all; where some do not, with
   * the end of the job. Infinity: never. Default: 600.
   */
  timeout?: number;
  /** Whether sums are made in the order of ranks unless a call says otherwise; else as MPI's own allreduce does. Default: true. */
  deterministic?: boolean;
  /** The MPI library: a file, or a name for the system to look for. Default: what GRADSTEP_MPI_LIB says, or one that fits. */
  library?: string;
}

const names: NamesOf<MpiOptions> = { warnAfter: true, timeout: true, deterministic: true, library: true };
/** As long as waiting can take: a few hundred years. */
const longest = 1e13;

let world: Promise<MpiCommunicator> | undefined;

/**
 * The communicator of the process, by the MPI that its mpirun belongs to. Without mpirun it is rank 0 of 1 and needs no MPI.
 * Further calls give the same one; options count in the first.
 *
 * @throws (rejects with) TypeError, RangeError for wrong options; Error, with what to do, where there is no library that fits, or
 * one that is not of the mpirun that started the process, and in worker threads, which join by `MpiCommunicator.join`.
 * @example
 * import { mpi } from 'gradstep/mpi';
 *
 * const communicator = await mpi.init();
 * const gradient = new Float32Array([1, 2, 3]);
 * communicator.allReduce(gradient, { reductionType: 'MEAN' });
 */
function init(options: MpiOptions = {}): Promise<MpiCommunicator> {
  world ??= begin(options).catch((error: unknown) => {
    world = undefined;
    throw error;
  });
  return world;
}

async function begin(options: MpiOptions): Promise<MpiCommunicator> {
  checkOptions('options', options, names);
  const { warnAfter = 60, timeout = 600, deterministic = true } = options;
  const { library = process.env['GRADSTEP_MPI_LIB'] ?? '' } = options;
  for (const [name, seconds] of Object.entries({ warnAfter, timeout })) {
    checkRange(name, seconds, 'a number of seconds above 0', (n) => n > 0);
  }
  checkBoolean('deterministic', deterministic);
  if (typeof library !== 'string') throw new TypeError(`library must be a string, got ${shown(library)}`);
  if (!isMainThread) {
    throw new Error(
      'mpi.init() is called in the main thread; workers join by MpiCommunicator.join(communicator.share())',
    );
  }
  // UCX, which is beneath MPICH, tries by moving the end of the heap to and fro whether it is told of that: on the thread that calls
  // MPI, while others allocate there. What it wants to know it for, memory that stays registered, is for the user to ask for.
  process.env['UCX_MEM_EVENTS'] ??= 'n';
  const milliseconds = (seconds: number) => Math.ceil(Math.min(seconds * 1000, longest));
  const found = await native.mpiStart(options, library, milliseconds(warnAfter), milliseconds(timeout));
  const communicator = new MpiCommunicator(found, deterministic);
  endWithProcess(communicator);
  return communicator;
}

/** Whether there is an MPI library that this process could use; it is looked for as `init` does under an mpirun. */
function isAvailable(): boolean {
  return native.mpiFind(process.env['GRADSTEP_MPI_LIB'] ?? '') === '';
}

/** Training on many machines, by MPI. */
export const mpi: {
  readonly init: typeof init;
  readonly isAvailable: typeof isAvailable;
} = Object.freeze({ init, isAvailable });
