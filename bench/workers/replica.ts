import { AdamOptimizer, clipByGlobalNorm, ops, tensor } from 'gradstep';
import { defineReplica } from 'gradstep/parallel';
import { numbers } from '../data';

// The same step as bench/mnist.ts, a share of 64 examples for each worker.
defineReplica<{ limits: Int32Array }>(({ variables, data }) => {
  const [w1, b1, w2, b2] = variables;
  const x = tensor(numbers(64 * 784, 11, 1), [64, 784]);
  const labels = Int32Array.from({ length: 64 }, (_, i) => i % 10);
  const { limits } = data;
  return {
    optimizer: new AdamOptimizer(),
    loss: ({ step }) => {
      // Steps are made by turns: whoever is beyond the limit waits, asleep.
      for (let limit = Atomics.load(limits, 0); step >= limit; limit = Atomics.load(limits, 0))
        Atomics.wait(limits, 0, limit);
      const logits = ops.xwPlusB(ops.reluLayer(x, w1!, b1!), w2!, b2!);
      return ops.reduceMean(ops.sparseSoftmaxCrossEntropyWithLogits(labels, logits));
    },
    transform: (gradients) => clipByGlobalNorm(gradients, 1)[0],
  };
});
