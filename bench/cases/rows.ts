import { ops, runtime, tensor, type FloatArray } from 'gradstep';
import { native, taskKind } from '../../lib/native';
import type { Bench, Case } from '../bench';
import { numbers, shared, showThreads, weights } from '../data';
import { timed } from '../harness';
import { limit } from '../limit';
import { sampled, type Side } from '../sides';

const columns = 1024;
const float32 = 0; // among the formats of native code

const layerNorm = (out: Float32Array, x: Float32Array, gamma: Float32Array, beta: Float32Array): (() => void) => {
  const rows = x.length / columns;
  const [mean, inverse] = [shared(rows), shared(rows)];
  const sizes = Float64Array.of(rows, columns, 1e-5);
  return () => native.runTask(taskKind.normalizeRows, float32, 4 + 8, sizes, out, mean, inverse, x, gamma, beta);
};

/** Kernels that read and write an array, against a loop that copies one. */
async function againstMemory(bench: Bench, rows: number, threads: number): Promise<void> {
  const n = rows * columns;
  const about = `${rows.toLocaleString('en-US')} rows of ${columns}, ${showThreads(threads)}`;
  const work = { parameters: n, bytes: 8 * n };
  const kinds: Record<string, (out: Float32Array, x: Float32Array) => () => void> = {
    layerNorm: (out, x) => layerNorm(out, x, weights(columns, 7, 2), weights(columns, 3, 2)),
    softmax: (out, x) => () => native.softmax(out, x, columns),
    logSoftmax: (out, x) => () => native.logSoftmax(out, x, columns),
  };
  for (const [name, make] of Object.entries(kinds)) {
    await bench.contest(
      `rows ${name}, ${about}`,
      (): Side[] => {
        const [x, ours, theirs] = [weights(n, 5, 4), shared(n), shared(n)];
        return [timed('gradstep', make(ours, x)), timed('limit', limit.copy(threads, theirs, x))];
      },
      { work, goals: [{ against: 'limit', atLeast: 0.9 }] },
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
  about: 'normalisation and softmax of rows against memory, layerNorm against PyTorch',
  async run(bench) {
    await bench.eachThreadCount(async (threads) => {
      await againstMemory(bench, bench.isQuick ? 4096 : 16_384, threads);
      await againstTorch(bench, 1024, threads);
    });
  },
};
