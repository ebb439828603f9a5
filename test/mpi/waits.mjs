// Who keeps others waiting is named, and does not do so for ever.
import { expect, expectMatch, launch } from './kit.mjs';

export function tests({ mpis, isFull }) {
  const all = {};
  for (const mpi of mpis.filter((name) => name !== 'abi')) {
    for (const who of isFull ? [0, 1, 2] : [1]) {
      const behind = `rank ${who} on \\S+ answers, and has not made this call: it has made 2, the last of which ended \\d s ago`;
      const silent = `rank ${who} on \\S+ does not answer: it is stopped, or its host is lost`;
      all[`rank ${who} of ${mpi} is named that does something else`] = async () => {
        const result = await launch(mpi, 3, 'waits.mjs', { args: ['busy', who, 1] });
        expect(result.status === 0, 'the call is made at last', result);
        expectMatch(result, /call 3, allReduce, has been waiting for 1 s/);
        expectMatch(result, new RegExp(behind));
      };
      all[`rank ${who} of ${mpi} that never comes is not waited for longer than was said`] = async () => {
        const result = await launch(mpi, 3, 'waits.mjs', { args: ['lost', who, 1, 2] });
        expect(result.status === 5, 'who waited has thrown', result);
        expectMatch(
          result,
          new RegExp(`CommunicatorAborted: .*call 3, allReduce, has been waiting for \\d s; ${behind}`),
        );
      };
      all[`rank ${who} of ${mpi} that is stopped is named, and the job is over`] = async () => {
        const result = await launch(mpi, 3, 'waits.mjs', { args: ['stop', who, 1, 2] });
        expect(result.status !== 0 && !result.isLate, 'it ends', result);
        expectMatch(result, new RegExp(`${silent}\n  the job is ended`));
      };
    }
  }
  return all;
}
