// What each worker of `npm start -- --workers <n>` runs: the loss of its part of every batch.
import { clipByGlobalNorm } from 'gradstep';
import { defineReplica } from 'gradstep/parallel';
import { Model } from './model';
import { optimizers } from './optimizers';
import { Random } from './random';
import type { ReplicaOptions } from './workers';

defineReplica<ReplicaOptions>(({ variables, globalStep, data }) => {
  const { labels, steps, batch, seed, clipNorm, norms, firstRate } = data;
  const model = Model.over(variables.slice(0, -1));
  const dataset = { images: variables.at(-1)!, labels, count: labels.length };
  const stepsPerEpoch = Math.ceil(dataset.count / batch);

  // Every worker shuffles alike, as often as there have been epochs: one that comes later finds the order of the others.
  const random = new Random(seed);
  const order = Int32Array.from({ length: dataset.count }, (_, row) => row);
  let shuffled = 0;
  const rowsOf = (step: number): Int32Array => {
    for (; shuffled <= step / stepsPerEpoch; shuffled++) random.shuffle(order);
    const start = (step % stepsPerEpoch) * batch;
    return order.subarray(start, start + batch);
  };

  return {
    optimizer: optimizers[data.optimizer].create(() => firstRate * (1 - globalStep.value / steps)),
    loss: ({ step, share, shares }) => {
      const rows = rowsOf(step);
      const startOf = (n: number): number => Math.floor((n * rows.length) / shares);
      return model.loss(dataset, rows.subarray(startOf(share), startOf(share + 1)));
    },
    transform: (gradients) => {
      const [clipped, norm] = clipByGlobalNorm(gradients, clipNorm);
      norms[globalStep.value] = norm;
      return clipped;
    },
  };
});
