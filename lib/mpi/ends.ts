import { native } from '../native';
import type { MpiCommunicator } from './communicator';

/** What nobody has caught: why a process is ending. */
let uncaught: string | undefined;

/**
 * Ends MPI with this process: a normal end waits for the others', any other ends the job. What ends a process without these
 * events, a signal say, mpirun notices.
 */
export function endWithProcess(communicator: MpiCommunicator): void {
  if (communicator.library === null) return;
  process.on('uncaughtExceptionMonitor', (error: unknown) => {
    uncaught = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  });
  process.on('exit', (code) => {
    if (code === 0) native.mpiEnd();
    else
      native.mpiEndJob(
        `the process ends with exit code ${code}${uncaught ? `: nobody has caught ${uncaught}` : ''}`,
        code,
      );
  });
}
