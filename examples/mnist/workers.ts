import { createGlobalStep, variable } from 'gradstep';
import { trainInWorkers } from 'gradstep/parallel';
import { join } from 'node:path';
import type { Dataset } from './data';
import { History } from './history';
import type { Model } from './model';
import { optimizers, type OptimizerName } from './optimizers';
import type { Options } from './options';
import { Progress } from './progress';

/** What each worker is told beside variables. */
export interface ReplicaOptions {
  readonly labels: Int32Array;
  readonly steps: number;
  readonly batch: number;
  readonly seed: number;
  readonly optimizer: OptimizerName;
  readonly firstRate: number;
  readonly clipNorm: number;
  /** The norm of each step's gradients, for the main thread. */
  readonly norms: Float64Array;
}

/** Trains the model, in place, in worker threads: mnist/replica.ts is what each of them runs. */
export async function trainTogether(
  model: Model,
  dataset: Dataset,
  options: Options,
  workers: number,
): Promise<History> {
  const { epochs, batch, clipNorm, seed } = options;
  const steps = epochs * Math.ceil(dataset.count / batch);
  const history = new History(steps, clipNorm);
  using progress = new Progress(history, epochs);

  const { create, defaultRate } = optimizers[options.optimizer];
  const firstRate = options.learningRate ?? defaultRate;
  const images = variable(dataset.images.data, { shape: dataset.images.shape, name: 'images', trainable: false });
  const norms = new Float64Array(new SharedArrayBuffer(8 * steps));
  const labels = new Int32Array(new SharedArrayBuffer(dataset.labels.byteLength));
  labels.set(dataset.labels);
  const data: ReplicaOptions = { labels, steps, batch, seed, clipNorm, firstRate, norms, optimizer: options.optimizer };
  const training = trainInWorkers({
    module: join(__dirname, 'replica.js'),
    workers,
    variables: [...model.variables(), images],
    optimizer: create(firstRate),
    globalStep: createGlobalStep(),
    steps,
    data,
    onStep: ({ step, loss }) => {
      history.add(loss, norms[step]!);
      progress.update();
    },
  });
  const stop = (): void => void training.stop();
  process.once('SIGINT', stop);
  await training.finished; // also when it was stopped: what has been trained is kept
  process.off('SIGINT', stop);
  return history;
}
