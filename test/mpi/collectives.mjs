// Every collective on 1 to 4 ranks of each MPI.
import { expect, expectMatch, launch } from './kit.mjs';

const sizes = [1, 2, 3, 4];
const cases = ['length', 'kind', 'arrays', 'call', 'root', 'mean', 'part', 'gathered', 'reduced', 'wholes', 'several'];

export function tests({ mpis, isFull }) {
  const all = {};
  for (const mpi of mpis) {
    for (const size of sizes.filter((n) => isFull || mpi !== 'abi' || n === 3)) {
      all[`${size} ranks of ${mpi} have the bytes of plain loops`] = async () => {
        const seed = isFull ? Date.now() % 1e6 : 7 * size;
        const rounds = isFull ? 600 : 40;
        const result = await launch(mpi, size, 'collectives.mjs', { args: [seed, rounds], seconds: 300 });
        expect(result.status === 0, `seed ${seed}`, result);
        for (let rank = 0; rank < size; rank++) expectMatch(result, new RegExp(`rank ${rank} of ${size}: \\d+ checks`));
      };
    }
    all[`ranks of ${mpi} are told the same of what does not fit, and go on`] = async () => {
      const result = await launch(mpi, 3, 'mismatches.mjs');
      expect(result.status === 0, 'they end well', result);
      for (const name of cases) {
        const said = [...result.output.matchAll(new RegExp(`^${name} rank \\d: (.*)$`, 'gm'))].map(([, text]) => text);
        const isSo = said.length === 3 && new Set(said).size === 1 && said[0].startsWith('RangeError: ');
        expect(isSo, `all say the same of ${name}: ${said.join(' | ')}`, result);
      }
      expectMatch(result, /after rank 2: 6,6,6/);
    };
    all[`a rank of ${mpi} knows where it is`] = async () => {
      const result = await launch(mpi, 2, 'info.mjs');
      const infos = result.output.split('\n').filter((line) => line.startsWith('{'));
      const [first, second] = infos.map((line) => JSON.parse(line)).sort((a, b) => a.rank - b.rank);
      const { family } = first.library;
      const isSo = first.size === 2 && first.localSize === 2 && second.localRank === 1 && first.hostname !== '';
      expect(isSo && first.hostnames.length === 2, 'they know', result);
      expect(
        family === { openmpi: 'openmpi', mpich: 'mpich', abi: 'standard' }[mpi],
        `the family is ${family}`,
        result,
      );
    };
  }
  return all;
}
