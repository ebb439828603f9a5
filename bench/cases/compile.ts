import type { Case } from '../bench';
import { showThreads } from '../data';
import { timed } from '../harness';
import { compiledMlpStep, mlpStep } from '../mlp';
import { compiledMnistStep, mnistStep } from '../mnist';
import type { Side } from '../sides';

function side(name: string, step: () => number): Side {
  let losses: number[] = [];
  return { ...timed(name, () => void (losses = [...losses.slice(-2), step()])), result: () => losses };
}

export const compile: Case = {
  name: 'compile',
  about: 'whole training steps in one native call against the same steps op by op',
  usesPackages: true,
  async run(bench) {
    await bench.eachThreadCount(async (threads) => {
      const jax = await bench.peers.jax();
      const isOne = threads === 1;
      await bench.contest(
        `compile 8-16-1, batch 8, ${showThreads(threads)}`,
        () => [side('gradstep', compiledMlpStep()), side('eager', mlpStep()), jax && jax.mlp()],
        { goals: isOne ? [{ atMost: 3e-6 }] : [], tolerance: 1e-3 },
      );
      await bench.contest(
        `compile 784-256-10, batch 64, ${showThreads(threads)}`,
        () => [side('gradstep', compiledMnistStep()), side('eager', mnistStep()), jax && jax.mnist()],
        { goals: isOne ? [{ against: 'eager', atMost: 0.9 }] : [], tolerance: 1e-3, patience: 4 },
      );
    });
  },
};
