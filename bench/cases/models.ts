import type { Case } from '../bench';
import { showThreads } from '../data';
import { timed } from '../harness';
import { gptStep, leNetStep, resNetStep } from '../models';
import type { Side } from '../sides';

function ours(step: () => number): Side {
  let losses: number[] = [];
  return { ...timed('gradstep', () => void (losses = [...losses.slice(-2), step()])), result: () => losses };
}

const figures = [
  { name: 'LeNet-5, batch 64', kind: 'lenet', step: leNetStep, atMost: 0.7 },
  { name: 'ResNet-18, 32 x 32 pixels, batch 32', kind: 'resnet', step: resNetStep, atMost: 1 },
  { name: 'GPT, 4 layers of 128, 128 tokens, batch 8', kind: 'gpt', step: gptStep, atMost: 0.8 },
];

export const models: Case = {
  name: 'models',
  about: 'one training step of LeNet-5, ResNet-18 and a small GPT, compiled, against PyTorch',
  async run(bench) {
    for (const { name, kind, step, atMost } of figures) {
      await bench.eachThreadCount(async (threads) => {
        await bench.contest(
          `models ${name}, ${showThreads(threads)}`,
          async () => {
            const torch = await bench.peers.torch();
            return [ours(step()), torch && (await torch.side('PyTorch', kind, threads))];
          },
          { goals: [{ against: 'PyTorch', atMost }], tolerance: 3e-3, patience: 10 },
        );
      });
    }
  },
};
