import { ops, type Tensor, type Variable } from 'gradstep';
import { batchNorm, conv2d, dense, sequential, VariableHolder, type CallOptions, type Layer } from 'gradstep/layers';

const around = (pixels: number): [[number, number], [number, number]] => [
  [pixels, pixels],
  [pixels, pixels],
];

/** A convolution without bias, and normalisation over the batch. */
function convolution(name: string, inputs: number, filters: number, size: number, strides: number): Layer {
  return sequential([
    conv2d({ inputs, filters, kernelSize: size, strides, padding: around((size - 1) / 2), useBias: false, name }),
    batchNorm({ features: filters, momentum: 0.9, epsilon: 1e-5, name: `${name}/norm` }),
  ]);
}

/** relu(x + two convolutions of x), x by a convolution of its own where its shape changes. */
class BasicBlock extends VariableHolder implements Layer {
  private readonly first: Layer;
  private readonly second: Layer;
  private readonly shortcut: Layer | null;

  constructor(name: string, inputs: number, filters: number, strides: number) {
    super();
    this.first = convolution(`${name}/first`, inputs, filters, 3, strides);
    this.second = convolution(`${name}/second`, filters, filters, 3, 1);
    const isSame = strides === 1 && inputs === filters;
    this.shortcut = isSame ? null : convolution(`${name}/shortcut`, inputs, filters, 1, strides);
  }

  override variables(): Variable[] {
    return [this.first, this.second, this.shortcut].flatMap((layer) => layer?.variables() ?? []);
  }

  call(x: Tensor, options?: CallOptions): Tensor {
    const inner = this.second.call(ops.relu(this.first.call(x, options)), options);
    return ops.relu(ops.add(inner, this.shortcut?.call(x, options) ?? x));
  }
}

/** ResNet-18 for images of 32 x 32 pixels: "Deep residual learning for image recognition" (He et al., 2016), section 4.2. */
export function resNet18() {
  const stages = [64, 128, 256, 512];
  const blocks = stages.flatMap((filters, i) => [
    new BasicBlock(`stage${i}/block0`, stages[Math.max(0, i - 1)]!, filters, i === 0 ? 1 : 2),
    new BasicBlock(`stage${i}/block1`, filters, filters, 1),
  ]);
  return sequential([
    convolution('stem', 3, 64, 3, 1),
    (x) => ops.relu(x),
    ...blocks,
    (x) => ops.reduceMean(x, [1, 2]),
    dense({ inputs: 512, units: 10, name: 'logits' }),
  ]);
}
