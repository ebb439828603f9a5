import type { Case } from '../bench';
import { showThreads } from '../data';
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
  usesPackages: true,
  async run(bench) {
    await bench.eachThreadCount(async (threads) => {
      await bench.contest(
        `mnist 784-256-10, batch 64, ${showThreads(threads)}`,
        async () => {
          const torch = await bench.peers.torch();
          const jax = await bench.peers.jax();
          const tfjs = await bench.peers.tfjs();
          return [
            ours(),
            torch && (await torch.side('PyTorch', 'mnist', threads)),
            jax && jax.mnist(),
            tfjs && (await tfjs.mnist('wasm')),
            tfjs && (await tfjs.mnist('cpu')),
          ];
        },
        {
          work: { flops },
          goals: [
            { against: 'PyTorch', atMost: 0.7 },
            // The JavaScript ones have one thread, whatever we have.
            ...(threads < bench.allThreads
              ? []
              : [
                  { against: 'TensorFlow.js WASM', atLeast: 35 },
                  { against: 'TensorFlow.js CPU', atLeast: 180 },
                  { against: 'jax-js WASM', atLeast: 5 },
                ]),
          ],
          tolerance: 1e-3,
          patience: 10,
        },
      );
    });
  },
};
