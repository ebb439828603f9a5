import { ops, runtime, tensor, type FloatArray } from 'gradstep';
import type { Bench, Case } from '../bench';
import { numbers, shared, showThreads, weights } from '../data';
import { difference, timed } from '../harness';
import { limit } from '../limit';
import { columns, kinds, type Kind } from '../row-kernels';
import { sampled, sampledPlaces, type Side } from '../sides';

/** The kernel over arrays of its own. */
function over(kind: Kind, rows: number) {
  const n = rows * columns;
  const arrays = { x: weights(n, 5, 4), dy: kind.reads === 2 ? weights(n, 3, 2) : shared(0), out: shared(n) };
  return { ...arrays, run: kind.make(arrays) };
}

/**
 * Kernels that read one or two arrays and write one, against a loop that moves the same memory, and against themselves in the
 * nearest cache: what they compute takes that long.
 */
async function againstMemory(bench: Bench, rows: number, threads: number): Promise<void> {
  const n = rows * columns;
  const about = `${rows.toLocaleString('en-US')} rows of ${columns}, ${showThreads(threads)}`;
  for (const kind of kinds) {
    await bench.contest(
      `rows ${kind.name}, ${about}`,
      (): Side[] => {
        const ours = over(kind, rows);
        const theirs = shared(n);
        const [three, one] = [over(kind, 3), over(kind, 1)];
        const moved =
          kind.reads === 1 ? limit.copy(threads, theirs, ours.x) : limit.join(threads, theirs, ours.x, ours.dy);
        return [
          { ...timed('gradstep', ours.run), result: () => sampled(ours.out) },
          { ...timed('limit', moved), result: () => sampledPlaces(n).map((i) => kind.expected(ours, i)) },
          difference('arithmetic', three.run, one.run, rows / 2 / threads),
        ];
      },
      {
        work: { parameters: n, bytes: 4 * n * (kind.reads + 1) },
        goals: [{ against: 'limit', or: 'arithmetic', atLeast: 0.9 }],
        tolerance: 1e-5,
        scale: 1,
      },
    );
  }
}

async function againstTorch(bench: Bench, rows: number, threads: number): Promise<void> {
  await bench.contest(
    `rows layerNorm of ${rows.toLocaleString('en-US')} x 128, ${showThreads(threads)}`,
    async () => {
      const torch = await bench.peers.torch();
      const x = tensor(weights(rows * 128, 5, 4), [rows, 128]);
      const [gamma, beta] = [tensor(numbers(128, 7, 2)), tensor(numbers(128, 3, 2))];
      let y: FloatArray = new Float32Array(0);
      const run = (): void => {
        const out = ops.layerNorm(x, { gamma, beta });
        y = out.data;
        out.dispose();
      };
      return [
        { ...timed('gradstep', run, () => void (runtime.threads = threads)), result: () => sampled(y) },
        torch && (await torch.side('PyTorch', 'layerNorm', threads, { rows, columns: 128 })),
      ];
    },
    { work: { parameters: rows * 128 }, tolerance: 1e-5, scale: 1 },
  );
}

export const rows: Case = {
  name: 'rows',
  about: 'normalisation, softmax, activations, dropout and their gradients against memory; layerNorm against PyTorch',
  async run(bench) {
    await bench.eachThreadCount(async (threads) => {
      await againstMemory(bench, bench.isQuick ? 4096 : 16_384, threads);
      await againstTorch(bench, 1024, threads);
    });
  },
};
