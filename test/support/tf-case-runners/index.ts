import type { TfRunner } from '../tf-cases';
import { accumulatorRunners } from './accumulators';
import { clippingRunners } from './clipping';
import { runComputeGradients } from './compute-gradients';
import { gradientRunners } from './gradients';
import { lossScaleRunners } from './loss-scales';
import { movingAverageRunners } from './moving-averages';
import { optimizerRunners } from './optimizers';
import { scheduleRunners } from './schedules';

/** What runs the cases of an op. */
export const runners: Readonly<Record<string, TfRunner>> = {
  ...accumulatorRunners,
  ...clippingRunners,
  ...gradientRunners,
  ...lossScaleRunners,
  ...movingAverageRunners,
  ...optimizerRunners,
  ...scheduleRunners,
  'Optimizer.compute_gradients': runComputeGradients,
};

/** Ops of tf-cases.json that have no runner yet. */
export const waiting: readonly string[] = [];
