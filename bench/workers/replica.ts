import { AdamOptimizer, clipByGlobalNorm, ops, tensor, type GradientsAndVariables } from 'gradstep';
import { compiledReplica, defineReplica } from 'gradstep/parallel';
import { numbers } from '../data';

// The same step as bench/mnist.ts, a share of 64 examples for each worker.
defineReplica<{ limits: Int32Array; isCompiled: boolean }>(({ variables, data }) => {
  const [w1, b1, w2, b2] = variables;
  const pixels = numbers(64 * 784, 11, 1);
  const labels = Int32Array.from({ length: 64 }, (_, i) => i % 10);
  const x = tensor(pixels, [64, 784]);
  const { limits } = data;
  // Steps are made by turns: whoever is beyond the limit waits, asleep.
  const waitFor = (step: number): void => {
    for (let limit = Atomics.load(limits, 0); step >= limit; limit = Atomics.load(limits, 0)) {
      Atomics.wait(limits, 0, limit);
    }
  };
  const optimizer = new AdamOptimizer();
  const transform = (gradients: GradientsAndVariables) => clipByGlobalNorm(gradients, 1)[0];
  if (data.isCompiled) {
    return compiledReplica({
      optimizer,
      transform,
      inputs: { x: { shape: [64, 784] }, labels: { shape: [64], dtype: 'int32' } },
      loss: (given) => {
        const logits = ops.xwPlusB(ops.reluLayer(given.x, w1!, b1!), w2!, b2!);
        return ops.reduceMean(ops.sparseSoftmaxCrossEntropyWithLogits(given.labels, logits));
      },
      batch: ({ step }) => {
        waitFor(step);
        return { x, labels };
      },
    });
  }
  return {
    optimizer,
    transform,
    loss: ({ step }) => {
      waitFor(step);
      const logits = ops.xwPlusB(ops.reluLayer(x, w1!, b1!), w2!, b2!);
      return ops.reduceMean(ops.sparseSoftmaxCrossEntropyWithLogits(labels, logits));
    },
  };
});
