import { ops, tensor, variable } from 'gradstep';
import type { Bench, Case } from '../bench';
import { numbers, showThreads, weights } from '../data';
import type { Side } from '../sides';
import { trainingSide } from '../training';

interface Heads {
  readonly batch: number;
  readonly heads: number;
  readonly tokens: number;
  readonly depth: number;
}

function ours({ batch, heads, tokens, depth }: Heads): Side {
  const shape = [batch, heads, tokens, depth];
  const n = batch * heads * tokens * depth;
  const [q, k, v] = [7, 5, 11].map((step) => variable(weights(n, step, 4), { shape }));
  const factors = tensor(numbers(n, 3, 2 ** -10), shape);
  const loss = () => ops.reduceSum(ops.mul(ops.scaledDotProductAttention(q!, k!, v!, { causal: true }), factors));
  return trainingSide('gradstep', loss, 1);
}

async function contest(bench: Bench, of: Heads, threads: number): Promise<void> {
  const { batch, heads, tokens, depth } = of;
  await bench.contest(
    `attention ${batch} x ${heads} heads of ${tokens} x ${depth}, ${showThreads(threads)}`,
    async () => {
      const torch = await bench.peers.torch();
      return [ours(of), torch && (await torch.side('PyTorch', 'attention', threads, { ...of }))];
    },
    {
      // Two products forward and five back, of which half are hidden.
      work: { flops: 7 * batch * heads * tokens * tokens * depth },
      goals: [{ against: 'PyTorch', atMost: 0.8 }],
      tolerance: 1e-3,
      patience: 4,
    },
  );
}

export const attention: Case = {
  name: 'attention',
  about: 'causal attention, forward and backward, against PyTorch',
  async run(bench) {
    await bench.eachThreadCount(async (threads) => {
      await contest(bench, { batch: 8, heads: 4, tokens: 128, depth: 32 }, threads);
      await contest(bench, { batch: 1, heads: 8, tokens: bench.isQuick ? 512 : 1024, depth: 64 }, threads);
    });
  },
};
