import { IndexedSlices, LazyAdamOptimizer, tensor, variable } from 'gradstep';
import type { Case } from '../bench';
import { numbers, showThreads, weights } from '../data';
import { timed } from '../harness';
import { sampled, type Side } from '../sides';

const columns = 64;
const touched = 4096;

function ours(rows: number): Side {
  const table = variable(weights(rows * columns, 7, 2 ** -6), { shape: [rows, columns] });
  const indices = Int32Array.from({ length: touched }, (_, i) => (i * 104729) % rows);
  const values = tensor(numbers(touched * columns, 5, 1), [touched, columns]);
  const optimizer = new LazyAdamOptimizer();
  const pairs = [[new IndexedSlices(values, indices, [rows, columns]), table] as const];
  return {
    ...timed('gradstep', () => optimizer.applyGradients(pairs)),
    result: () => {
      // PyTorch's sparse gradient has its rows in order, but what is compared are the rows touched, in the order given.
      const rowsTouched = [...indices].flatMap((row) => [...table.data.subarray(row * columns, (row + 1) * columns)]);
      return sampled(rowsTouched);
    },
  };
}

export const sparse: Case = {
  name: 'sparse',
  about: 'LazyAdam on 4,096 rows of a large table against SparseAdam of PyTorch',
  async run(bench) {
    const rows = bench.isQuick ? 100_000 : 1_000_000;
    await bench.eachThreadCount(async (threads) => {
      await bench.contest(
        `sparse ${touched} of ${rows.toLocaleString('en-US')} rows of ${columns}, ${showThreads(threads)}`,
        async () => {
          const torch = await bench.peers.torch();
          return [ours(rows), torch && (await torch.side('PyTorch', 'sparse', threads, { rows, columns, touched }))];
        },
        {
          work: { parameters: touched * columns, bytes: 28 * touched * columns },
          tolerance: 1e-5,
          scale: 1,
          patience: 2,
        },
      );
    });
  },
};
