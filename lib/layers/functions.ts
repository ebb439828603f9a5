import { ops, type Tensor } from 'gradstep';
import { checkFunction, checkRange } from '../checks';
import { checkPadding, checkPair } from '../ops/convolution/window';
import { checkOptions, type NamesOf } from '../options';
import { checkTensor, isTraining } from './checks';
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
  return (x, options) => (isTraining(options) ? ops.dropout(x, { rate }) : x);
}

/** [batch, ...] -> [batch, n]. @throws TypeError for what is no tensor. Source: `tf.layers.flatten`. */
export function flatten(x: Tensor): Tensor {
  checkTensor(x);
  return ops.reshape(x, [x.shape[0] ?? 1, -1]);
}

/**
 * A function of a tensor alone as a layer: `activation(ops.gelu)`. An op with options of its own would take those of the call for
 * them.
 *
 * @throws TypeError unless f is a function.
 * Source: `tf.keras.layers.Activation`, `tf.keras.layers.Lambda`.
 */
export function activation(f: (x: Tensor) => Tensor): (x: Tensor) => Tensor {
  checkFunction('f', f);
  return (x) => f(x);
}

const poolNames: NamesOf<ops.PoolOptions> = { strides: true, padding: true };

function checkPool(size: unknown, options: ops.PoolOptions): void {
  checkPair('size', size);
  checkOptions('options', options, poolNames);
  if (options.strides !== undefined) checkPair('strides', options.strides);
  if (options.padding !== undefined) checkPadding(options.padding);
}

/**
 * The largest element that each window sees of an image: `ops.maxPool`. Strides are the window's size by default.
 *
 * @throws TypeError, RangeError for a size, strides or padding that are none.
 * Source: `tf.layers.max_pooling2d`, `torch.nn.MaxPool2d`.
 */
export function maxPool(size: ops.Pair, options: ops.PoolOptions = {}): (x: Tensor) => Tensor {
  checkPool(size, options);
  return (x) => ops.maxPool(x, size, options);
}

/**
 * The mean of what each window sees of an image: `ops.avgPool`. Strides are the window's size by default.
 *
 * @throws TypeError, RangeError for a size, strides or padding that are none.
 * Source: `tf.layers.average_pooling2d`, `torch.nn.AvgPool2d`.
 */
export function avgPool(size: ops.Pair, options: ops.PoolOptions = {}): (x: Tensor) => Tensor {
  checkPool(size, options);
  return (x) => ops.avgPool(x, size, options);
}

/** The mean of each channel, [images, height, width, channels] -> [images, channels]. Source: `tf.keras.layers.GlobalAveragePooling2D`. */
export function globalAveragePool(x: Tensor): Tensor {
  return ops.globalAveragePool(x);
}
