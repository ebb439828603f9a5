// A job ends promptly, whatever ends one of its ranks, and says why.
import { expect, expectMatch, launch } from './kit.mjs';

/** As long as the others may take to end after one of them has. */
const promptly = 10;
const size = 3;
// What is said, and by whom: by us where the process still runs, else by mpirun.
const failures = {
  throw: {
    code: 1,
    said: /rank 1 on \S+ of 3\): the process ends with exit code 1: nobody has caught Error: the disk is full/,
  },
  reject: {
    code: 1,
    said: /rank 1 on \S+ of 3\): the process ends with exit code 1: nobody has caught Error: the disk is full/,
  },
  exit: { code: 3, said: /rank 1 on \S+ of 3\): the process ends with exit code 3/ },
  exitCode: { code: 4, said: /rank 1 on \S+ of 3\): the process ends with exit code 4/ },
  kill: { said: /signal 9|Killed/ },
  terminate: { said: /signal 15|Terminated/ },
  crash: { said: /signal 6|Aborted/ },
};
const quick = ['throw', 'exit', 'kill'];

export function tests({ mpis, isFull }) {
  const all = {};
  for (const mpi of mpis.filter((name) => isFull || name !== 'abi')) {
    for (const [way, { code, said }] of Object.entries(failures)) {
      if (!isFull && !quick.includes(way)) continue;
      all[`a job of ${mpi} ends when a rank ends by ${way}`] = async () => {
        let begun;
        const result = await launch(mpi, size, 'ends.mjs', {
          args: [way, 1],
          onStart: (child, output) =>
            child.stdout.on('data', () => {
              if (begun === undefined && (output().match(/has begun/g) ?? []).length === size)
                begun = performance.now();
            }),
        });
        const took = (performance.now() - begun) / 1000;
        expect(result.status !== 0 && (code === undefined || result.status === code), 'the exit code says so', result);
        expectMatch(result, said);
        expect(took < promptly, `it took ${took} s`, result);
      };
    }
    all[`a job of ${mpi} ends well by itself`] = async () => {
      const result = await launch(mpi, size, 'ends.mjs', { args: ['normal'] });
      expect(result.status === 0 && !/gradstep\/mpi|ERROR|BAD/.test(result.output), 'nothing is said', result);
    };
    all[`ranks of ${mpi} can end MPI before they end`] = async () => {
      const result = await launch(mpi, size, 'ends.mjs', { args: ['finalize'] });
      expect(result.status === 0, 'it ends well', result);
      expectMatch(result, /rank 2: Error: the communicator is finalized/);
    };
    all[`a rank of ${mpi} that has nothing more to do ends the calls of others, and is named`] = async () => {
      const result = await launch(mpi, size, 'ends.mjs', { args: ['leave', 1] });
      expect(result.status === 0, 'who catches that may end well', result);
      for (const rank of [0, 2]) {
        expectMatch(result, new RegExp(`rank ${rank}: CommunicatorAborted: .*rank 1 on \\S+ is over; ended rank 1`));
      }
    };
    all[`ranks of ${mpi} are aborted by one`] = async () => {
      const result = await launch(mpi, size, 'ends.mjs', { args: ['abort', 0] });
      expect(result.status === 0, 'who catches that may end well', result);
      for (const rank of [1, 2])
        expectMatch(result, new RegExp(`rank ${rank}: CommunicatorAborted: .*there is no more data`));
      const uncaught = await launch(mpi, size, 'ends.mjs', { args: ['abort', 0, 'throw'] });
      expect(uncaught.status !== 0, 'who does not catch it ends the job', uncaught);
    };
  }
  return all;
}
