import { ops, tensor, variable, type Tensor } from 'gradstep';
import type { Case } from '../bench';
import { numbers, showThreads, weights } from '../data';
import type { Side } from '../sides';
import { trainingSide } from '../training';

const [batch, time, units] = [32, 64, 128];

function ours(kind: 'lstm' | 'gru'): Side {
  const gates = kind === 'lstm' ? 4 : 3;
  const x = tensor(numbers(batch * time * units, 11, 1), [batch, time, units]);
  const matrix = (step: number) =>
    variable(weights(units * gates * units, step, 2 ** -3), { shape: [units, gates * units] });
  const [kernel, recurrentKernel] = [matrix(7), matrix(5)];
  const [bias, recurrentBias] = [0, 1].map(() => variable(new Float32Array(gates * units)));
  const outputs = (): Tensor =>
    kind === 'lstm'
      ? ops.lstm(x, { kernel, recurrentKernel, bias: bias!, gateOrder: 'ifjo' }).outputs
      : ops.gru(x, { kernel, recurrentKernel, bias: bias!, recurrentBias: recurrentBias!, resetAfter: true }).outputs;
  return trainingSide('gradstep', () => ops.reduceMean(ops.square(outputs())), 0.1);
}

export const lstm: Case = {
  name: 'lstm',
  about: 'a training step of LSTM and GRU layers against PyTorch',
  async run(bench) {
    await bench.eachThreadCount(async (threads) => {
      for (const kind of ['lstm', 'gru'] as const) {
        const flops = 6 * batch * time * 2 * units * (kind === 'lstm' ? 4 : 3) * units;
        await bench.contest(
          `lstm ${kind} of ${units}, ${time} steps, batch ${batch}, ${showThreads(threads)}`,
          async () => {
            const torch = await bench.peers.torch();
            return [ours(kind), torch && (await torch.side('PyTorch', kind, threads, { batch, time, units }))];
          },
          { work: { flops }, goals: [{ against: 'PyTorch', atMost: 0.7 }], tolerance: 1e-3, patience: 4 },
        );
      }
    });
  },
};
