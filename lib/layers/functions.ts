import { ops, type Tensor } from 'gradstep';
import { checkRange } from '../checks';
import type { CallOptions } from './layer';

// Layers without variables: functions.

/**
 * Drops elements with this probability in training, and scales those that stay; else the identity.
 *
 * @throws TypeError, RangeError unless rate is in [0, 1).
 * Source: `tf.layers.dropout`.
 */
export function dropout(rate: number): (x: Tensor, options?: CallOptions) => Tensor {
  checkRange('rate', rate, 'a number in [0, 1)', (value) => value >= 0 && value < 1);
  return (x, { training = false } = {}) => (training ? ops.dropout(x, { rate }) : x);
}

/** [batch, ...] -> [batch, n]. Source: `tf.layers.flatten`. */
export function flatten(x: Tensor): Tensor {
  return ops.reshape(x, [x.shape[0] ?? 1, -1]);
}
