import { showShape } from '../tensor/shape';
import type { Tensor } from '../tensor/tensor';
import { binary, multiplied, summed } from './primitives';
import { record, toTensors, type TensorLike } from '../autodiff/tape';

const rows = [0];

/** x w + b, rectified where asked for. */
export function layer(xLike: TensorLike, weights: TensorLike, biases: TensorLike, relu: boolean): Tensor {
  const [x, w] = toTensors('x', xLike, 'weights', weights);
  const [, b] = toTensors('x', x, 'biases', biases);
  checkLayer(x, w, b);
  const y = multiplied(x, w, false, false, { bias: b, relu });
  return record([x, w, b], y, (dy, needed) => {
    const dz = relu ? binary('reluGradient', y, dy) : dy;
    return [
      needed[0] ? multiplied(dz, w, false, true) : null,
      needed[1] ? multiplied(x, dz, true, false) : null,
      needed[2] ? summed(dz, rows, b.shape) : null,
    ];
  });
}

function checkLayer(x: Tensor, w: Tensor, b: Tensor): void {
  if (x.shape.length !== 2) throw new RangeError(`x has shape ${showShape(x.shape)}, expected [rows, inputs]`);
  const [inputs, outputs] = w.shape;
  if (w.shape.length !== 2 || inputs !== x.shape[1]) {
    throw new RangeError(`weights has shape ${showShape(w.shape)}, expected [${x.shape[1]}, outputs] to fit x`);
  }
  if (b.shape.length !== 1 || b.shape[0] !== outputs) {
    throw new RangeError(`biases has shape ${showShape(b.shape)}, expected [${outputs}] to fit weights`);
  }
}
