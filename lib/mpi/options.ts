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
