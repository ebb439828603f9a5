// What each worker runs: the loss of its share of every step, over the examples that the feed has for it.
import { clipByGlobalNorm, ops, Tensor, type GradientsAndVariables } from 'gradstep';
import { Metrics, TrainingMetrics, type MetricsHandle } from 'gradstep/metrics';
import { compiledReplica, defineReplica } from 'gradstep/parallel';
import { constants, setPriority } from 'node:os';
import { Batches } from './batches';
import { Word, type FeedMemory } from './feed';
import { createOptimizer, inputSize, learningRateAt, logits } from './model';
import { show } from './shown';

/** What a worker is told beside variables. */
export interface ReplicaData {
  readonly feed: FeedMemory;
  /** How many steps there had been before this training. */
  readonly firstStep: number;
  readonly batch: number;
  readonly learningRate: number;
  readonly clipNorm: number;
  readonly metrics: MetricsHandle;
}

/** Milliseconds from one time to the next that weights are laid out for who asks the model. */
const showEvery = 20;

// Requests come first: where threads compete for a CPU the event loop's is to have it. Linux has priorities of threads.
if (process.platform === 'linux') setPriority(constants.priority.PRIORITY_BELOW_NORMAL);

defineReplica<ReplicaData>(({ rank, shares, variables, globalStep, data }) => {
  const { feed, firstStep, batch: size, learningRate, clipNorm } = data;
  const weights = variables.filter(({ trainable }) => trainable);
  const metrics = new TrainingMetrics(Metrics.from(data.metrics));
  let [shownStep, nextShow, begun, norm] = [-1, 0, 0, 0];
  // Worker 0 applies the steps. Where it computes gradients or waits, weights are those of a whole step.
  const showWeights = (step: number): void => {
    if (rank !== 0 || step === shownStep) return;
    show(feed.shown, weights, step);
    shownStep = step;
    nextShow = performance.now() + showEvery;
  };
  const batches = new Batches(feed, { rank, shares, size, onWait: showWeights });
  return compiledReplica({
    optimizer: createOptimizer(learningRate, globalStep),
    inputs: {
      x: { shape: [batches.places, inputSize] },
      labels: { shape: [batches.places], dtype: 'int32' },
      weights: { shape: [batches.places] },
    },
    loss: (inputs) => {
      const losses = ops.sparseSoftmaxCrossEntropyWithLogits(inputs.labels, logits(weights, inputs.x));
      return ops.reduceSum(ops.mul(losses, inputs.weights));
    },
    batch: ({ step, share }) => {
      if (performance.now() >= nextShow) showWeights(firstStep + step);
      const batch = batches.of(firstStep + step, share);
      begun = performance.now();
      return batch;
    },
    transform: (gradients) => {
      const step = globalStep.value;
      const [clipped, found] = clipByGlobalNorm(gradients, clipNorm);
      norm = found;
      // Nothing that is not finite ever gets into the weights: the training fails, with those of the step before.
      if (!Number.isFinite(norm)) throw new Error(`the norm of the gradients of step ${step} is ${norm}`);
      batches.tell(step, norm, learningRateAt(step, learningRate));
      if (Atomics.load(feed.words, Word.Gradients) === 1) showGradients(gradients, feed);
      return clipped;
    },
    onStep: ({ step, loss }) => {
      const seconds = (performance.now() - begun) / 1000; // without waiting for examples
      const examples = batches.countOf(firstStep + step);
      metrics.observeStep({ step: firstStep + step + 1, loss, norm, clipNorm, seconds, examples });
    },
  });
});

/** Copies gradients to where the event loop finds them. */
function showGradients(gradients: GradientsAndVariables, { gradients: places, words }: FeedMemory): void {
  gradients.forEach(([gradient], i) => {
    if (gradient instanceof Tensor) places[i]!.set(gradient.data);
  });
  Atomics.store(words, Word.Gradients, 2);
}
