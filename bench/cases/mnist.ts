import type { Case } from '../bench';
import { timed } from '../harness';
import { mnistStep } from '../mnist';
import type { Side } from '../sides';

function ours(): Side {
  const step = mnistStep();
  let losses: number[] = [];
  return { ...timed('gradstep', () => void (losses = [...losses.slice(-2), step()])), result: () => losses };
}

// Forward once, and backward without the gradient of the input: two products for the first layer, three for the second.
const flops = 2 * 64 * (2 * 784 * 256 + 3 * 256 * 10);

export const mnist: Case = {
  name: 'mnist',
  about: 'one training step of a small network against the other libraries',
  async run(bench) {
    const tfjs = await bench.peers.tfjs();
    const jax = await bench.peers.jax();
    const torch = await bench.peers.torch();
    await bench.eachThreadCount(async (threads) => {
      await bench.contest(
        `mnist 784-256-10, batch 64, ${threads} thread${threads === 1 ? '' : 's'}`,
        [
          ours(),
          torch && (await torch.side('PyTorch', 'mnist', threads)),
          jax && jax.mnist(),
          tfjs && (await tfjs.mnist('wasm')),
          tfjs && (await tfjs.mnist('cpu')),
        ],
        {
          work: { flops },
          goals: [
            { against: 'TensorFlow.js WASM', atLeast: 20 },
            { against: 'TensorFlow.js CPU', atLeast: 100 },
          ],
          tolerance: 1e-3,
          patience: 10,
        },
      );
    });
  },
};
