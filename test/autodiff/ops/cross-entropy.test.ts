import { expect } from 'chai';
import { gradients, ops, tensor, type Tensor } from 'gradstep';
import {
  awkwardSizes,
  denseOf,
  expectClose,
  expectFloat32,
  expectGradients,
  randomTensor,
} from '../../support/numeric-gradient';

/** -Σ labels ln softmax(logits), row by row. */
function crossEntropies(labels: Tensor, logits: Tensor): number[] {
  const columns = logits.shape.at(-1)!;
  return Array.from({ length: logits.size / columns }, (_, row) => {
    const x = Array.from(logits.data.subarray(row * columns, (row + 1) * columns));
    const top = Math.max(...x);
    const logZ = top + Math.log(x.reduce((sum, value) => sum + Math.exp(value - top), 0));
    return x.reduce((sum, value, i) => sum + labels.data[row * columns + i]! * (logZ - value), 0);
  });
}

function oneHot(classes: readonly number[], columns: number): Tensor {
  const labels = new Float64Array(classes.length * columns);
  classes.forEach((label, row) => (labels[row * columns + label] = 1));
  return tensor(labels, [classes.length, columns]);
}

const shapes = [...awkwardSizes.slice(1).map((n) => [3, n]), [10], [2, 3, 4], [0, 4]];
const probabilities = (shape: number[]): Tensor => ops.softmax(randomTensor(shape, { seed: 4 }));
const weights = (shape: number[]): Tensor => randomTensor(shape, { seed: 4, low: 0, high: 1 });

describe('softmaxCrossEntropyWithLogits', () => {
  const op = ops.softmaxCrossEntropyWithLogits;

  it('is the cross entropy of each row, whether its labels sum to one or not', () => {
    for (const shape of shapes) {
      for (const labels of [probabilities(shape), weights(shape)]) {
        const logits = randomTensor(shape);
        const loss = op(labels, logits);
        expect(loss.shape).to.deep.equal(shape.slice(0, -1));
        expectClose(loss.data, crossEntropies(labels, logits), 1e-13);
      }
    }
  });

  it('has the gradients that differences show, of labels too', () => {
    for (const shape of shapes) {
      expectGradients(op, [probabilities(shape), randomTensor(shape)]);
      expectGradients(op, [weights(shape), randomTensor(shape)]);
    }
  });

  it('leaves labels alone where a gradient stop says so', () => {
    const [labels, logits] = [probabilities([2, 3]), randomTensor([2, 3])];
    const [dLabels, dLogits] = gradients(() => op(ops.stopGradient(labels), logits), [labels, logits]);
    expect(dLabels).to.equal(null);
    expectClose(denseOf(dLogits), ops.sub(ops.softmax(logits), labels).data, 1e-15);
  });

  it('stays finite where softmax is not', () => {
    const logits = tensor([1000, -1000, 0], [1, 3], 'float64');
    expectClose(op(tensor([0, 1, 0], [1, 3], 'float64'), logits).data, [2000], 1e-15);
    const [dx] = gradients(() => op(tensor([0, 1, 0], [1, 3], 'float64'), logits), [logits]);
    expectClose(denseOf(dx), [1, -1, 0], 1e-15);
  });

  it('hides a logit of -Infinity behind a label of 0', () => {
    expectClose(op(Float64Array.of(1, 0), Float64Array.of(3, -Infinity)).data, [0], 0);
  });

  it('gives NaN for NaN', () => {
    expect(op(Float64Array.of(1, 0), Float64Array.of(NaN, 0)).item()).to.be.NaN;
  });

  it('does the same in float32, to its precision', () => {
    expectFloat32(op, [probabilities([5, 33]), randomTensor([5, 33])], 4e-6);
  });

  it('refuses shapes and dtypes that differ, and numbers', () => {
    const [a, b] = [tensor([[1, 2]]), tensor([1, 2])];
    expect(() => op(a, b)).to.throw(RangeError, 'labels has shape [1, 2], logits has shape [2]: they must be equal');
    expect(() => op(1, 2)).to.throw(
      RangeError,
      'labels has shape [], logits has shape []: logits must have at least one dimension',
    );
    expect(() => op(Float32Array.of(1), Float64Array.of(1))).to.throw(
      TypeError,
      'labels is float32 and logits is float64; they must be the same',
    );
    expect(() => op([1] as never, a)).to.throw(TypeError, 'labels must be a Tensor');
    expect(() => op(a, undefined as never)).to.throw(TypeError, 'logits must be a Tensor');
  });
});

describe('sparseSoftmaxCrossEntropyWithLogits', () => {
  const op = ops.sparseSoftmaxCrossEntropyWithLogits;

  it('is the dense one with one-hot labels, value and gradient', () => {
    for (const columns of awkwardSizes.slice(1)) {
      const classes = [0, columns - 1, columns >> 1];
      const logits = randomTensor([3, columns]);
      const [sparse, dense] = [
        op(classes, logits),
        ops.softmaxCrossEntropyWithLogits(oneHot(classes, columns), logits),
      ];
      expect(sparse.shape).to.deep.equal([3]);
      expectClose(sparse.data, dense.data, 1e-14);
      expectGradients((x) => op(classes, x), [logits]);
      expectGradients((x) => op(Int32Array.from(classes), x), [logits]);
    }
  });

  it('takes any leading dimensions', () => {
    const logits = randomTensor([2, 3, 5]);
    const classes = [0, 1, 2, 3, 4, 0];
    expect(op(classes, logits).shape).to.deep.equal([2, 3]);
    expect([...op(classes, logits).data]).to.deep.equal([...op(classes, ops.reshape(logits, [6, 5])).data]);
    expectGradients((x) => op(classes, x), [logits]);
    expect(op([1], Float32Array.of(1, 2)).shape).to.deep.equal([]);
    expect(op([], tensor([], [0, 4])).shape).to.deep.equal([0]);
  });

  it('stays finite where softmax is not', () => {
    expectClose(op([1], Float64Array.of(1000, -1000)).data, [2000], 1e-15);
    expect(op([0], Float64Array.of(NaN, 1)).item()).to.be.NaN;
  });

  it('does the same in float32, to its precision', () => {
    expectFloat32((x) => op([3, 0, 32], x), [randomTensor([3, 33])], 2e-6);
  });

  it('refuses labels that are no class, too many or too few', () => {
    const logits = randomTensor([2, 3]);
    expect(() => op([0, 3], logits)).to.throw(RangeError, 'labels[1] is 3, expected 0 to 3 (exclusive)');
    expect(() => op([-1, 0], logits)).to.throw(RangeError, 'labels[0] is -1, expected 0 to 3 (exclusive)');
    expect(() => op([0], logits)).to.throw(
      RangeError,
      'labels has 1 elements, logits has shape [2, 3]: 2 labels were expected',
    );
    expect(() => op([0, 0.5], logits)).to.throw(RangeError, 'labels must hold whole numbers of 32 bits, got 0.5');
    expect(() => op([0, '1'] as never, logits)).to.throw(TypeError, 'labels must hold numbers, got "1"');
    expect(() => op(Float32Array.of(0, 1) as never, logits)).to.throw(TypeError, 'labels must be an Int32Array');
    expect(() => op([0], 1)).to.throw(RangeError, 'logits has shape []: it must have at least one dimension');
  });
});

describe('sigmoidCrossEntropyWithLogits', () => {
  const op = ops.sigmoidCrossEntropyWithLogits;
  const direct = (z: number, x: number): number => Math.max(x, 0) - x * z + Math.log1p(Math.exp(-Math.abs(x)));

  it('is the cross entropy of each element', () => {
    for (const shape of [[], ...awkwardSizes.map((n) => [n]), [2, 3, 4]]) {
      const [z, x] = [weights(shape), randomTensor(shape)];
      const loss = op(z, x);
      expect(loss.shape).to.deep.equal(shape);
      expectClose(loss.data, x.data.map((value, i) => direct(z.data[i]!, value)), 1e-14); // prettier-ignore
      const entropy = x.data.map((value, i) => {
        const p = 1 / (1 + Math.exp(-value));
        return -z.data[i]! * Math.log(p) - (1 - z.data[i]!) * Math.log(1 - p);
      });
      expectClose(loss.data, entropy, 1e-13);
    }
  });

  it('has the gradients that differences show, of labels too', () => {
    for (const shape of [[], ...awkwardSizes.map((n) => [n]), [2, 3, 4]]) {
      expectGradients(op, [weights(shape), randomTensor(shape)]);
    }
  });

  it('has gradients sigmoid(x) - z and -x, also at 0 and far out', () => {
    const [z, x] = [tensor([0.25, 1, 0], [3], 'float64'), tensor([0, -800, 800], [3], 'float64')];
    expectClose(op(z, x).data, [Math.LN2, 800, 800], 1e-15);
    const [dz, dx] = gradients(() => op(z, x), [z, x]);
    expectClose(denseOf(dz), [0, 800, -800], 0);
    expectClose(denseOf(dx), [0.25, -1, 1], 1e-15);
  });

  it('does the same in float32, to its precision', () => {
    expectFloat32(op, [weights([33]), randomTensor([33])], 2e-6);
  });

  it('refuses shapes and dtypes that differ', () => {
    expect(() => op(tensor([1, 2]), tensor([1]))).to.throw(
      RangeError,
      'labels has shape [2], logits has shape [1]: they must be equal',
    );
    expect(() => op(Float64Array.of(1), Float32Array.of(1))).to.throw(
      TypeError,
      'labels is float64 and logits is float32; they must be the same',
    );
  });
});
