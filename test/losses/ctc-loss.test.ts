import { expect } from 'chai';
import { compile, gradients, losses, ops, tensor, type Tensor } from 'gradstep';
import { denseOf, expectClose, expectFloat32, expectGradients, randomTensor } from '../support/numeric-gradient';
import { dtypes, expectSameEverywhere, random } from '../support/parity';

interface Reading {
  readonly merges?: boolean;
}

/** The probability of labels as the sum over all readings, one after the other. `probabilities` is [times][classes]. */
function probabilityOf(
  labels: readonly number[],
  probabilities: readonly number[][],
  { merges = true }: Reading = {},
): number {
  const classes = probabilities[0]!.length;
  let sum = 0;
  const walk = (time: number, path: readonly number[], product: number): void => {
    if (time === probabilities.length) {
      const read = path
        .filter((label, i) => !(merges && label === path[i - 1]))
        .filter((label) => label !== classes - 1);
      if (read.length === labels.length && read.every((label, i) => label === labels[i])) sum += product;
      return;
    }
    for (let k = 0; k < classes; k++) walk(time + 1, [...path, k], product * probabilities[time]![k]!);
  };
  walk(0, [], 1);
  return sum;
}

const rowsOf = (values: ArrayLike<number>, classes: number): number[][] =>
  Array.from({ length: values.length / classes }, (_, i) => Array.from(values).slice(i * classes, (i + 1) * classes));

describe('ctcLoss', () => {
  const logits = randomTensor([4, 1, 3]);
  const probabilities = rowsOf(ops.softmax(logits).data, 3);

  it('is -ln of the sum over all readings', () => {
    for (const labels of [[], [0], [1], [0, 1], [1, 1], [0, 0], [0, 1, 0], [1, 0, 0], [0, 1, 0, 1]]) {
      const loss = losses.ctcLoss([labels], logits);
      expect(loss.shape).to.deep.equal([1]);
      expect(loss.item(), labels.join()).to.be.closeTo(-Math.log(probabilityOf(labels, probabilities)), 1e-13);
      const apart = losses.ctcLoss([labels], logits, { ctcMergeRepeated: false });
      expect(apart.item()).to.be.closeTo(-Math.log(probabilityOf(labels, probabilities, { merges: false })), 1e-13);
    }
  });

  it('takes what repeats in the labels for one where asked to', () => {
    const collapsed = losses.ctcLoss([[0, 0, 1, 1]], logits, { preprocessCollapseRepeated: true });
    expect(collapsed.item()).to.equal(losses.ctcLoss([[0, 1]], logits).item());
  });

  it('has the gradient that differences show', () => {
    const labels = [[0, 2, 2, 1], [3], [], [1, 1, 1]];
    const x = randomTensor([8, 4, 5]);
    for (const ctcMergeRepeated of [true, false]) {
      const loss = (logitsOf: typeof x) =>
        losses.ctcLoss(labels, logitsOf, { ctcMergeRepeated, sequenceLength: [8, 3, 5, 7] });
      expectGradients(loss, [x], 1e-6);
      expectFloat32(loss, [x], 2e-6);
    }
    expectGradients((a) => losses.ctcLoss(labels, a, { timeMajor: false }), [randomTensor([4, 8, 5])], 1e-6);
  });

  it('takes labels as lists, or as one that is filled up with blanks', () => {
    const x = randomTensor([6, 2, 4], { dtype: 'float32' });
    const lists = losses.ctcLoss([Int32Array.of(0, 1, 2), [2]], x);
    expect(losses.ctcLoss([0, 1, 2, 2, 3, 3], x).data).to.deep.equal(lists.data);
    expect(losses.ctcLoss(Int32Array.of(0, 1, 2, 2, 3, 3), x).data).to.deep.equal(lists.data);
    expect(losses.ctcLoss([], tensor([], [3, 0, 4])).shape).to.deep.equal([0]);
  });

  it('ends each sequence where it ends, with no gradient behind it', () => {
    const x = randomTensor([5, 2, 3]);
    const sequenceLength = [2, 0];
    const [dx] = gradients(() => losses.ctcLoss([[1], []], x, { sequenceLength }), [x]);
    const rows = rowsOf(denseOf(dx), 3);
    rows.forEach((row, i) => expect(row.some((value) => value !== 0)).to.equal(i % 2 === 0 && i < 4));
    expect(losses.ctcLoss([[1], []], x, { sequenceLength }).data[1]).to.equal(0);
  });

  it('is infinite, with the softmax for its gradient, where nothing reads like that', () => {
    const x = randomTensor([2, 1, 3]); // twice the same label takes three times
    const [dx] = gradients(() => losses.ctcLoss([[1, 1]], x), [x]);
    expect(losses.ctcLoss([[1, 1]], x).item()).to.equal(Infinity);
    expectClose(denseOf(dx), ops.softmax(x).data, 1e-14);
  });

  it('knows infinite and huge logits, and NaN', () => {
    const x = tensor([[[1e30, -1e30, 0]], [[-Infinity, 0, -Infinity]]], [2, 1, 3], 'float64');
    expect(losses.ctcLoss([[0, 1]], x).item()).to.equal(0);
    expect(losses.ctcLoss([[1, 0]], x).item()).to.equal(Infinity);
    expect(losses.ctcLoss([[0]], tensor([NaN, 0, 0], [1, 1, 3], 'float64')).item()).to.deep.equal(NaN);
  });

  it('refuses labels that are longer than their sequences, or leaves them out', () => {
    const x = randomTensor([2, 2, 4]);
    const labels = [[0, 1, 2], [0]];
    expect(() => losses.ctcLoss(labels, x)).to.throw(
      RangeError,
      'labels[0] has 3 labels, which do not fit into the 2 times',
    );
    const options = { ignoreLongerOutputsThanInputs: true };
    const loss = losses.ctcLoss(labels, x, options);
    expect([loss.data[0], loss.data[1]! > 0]).to.deep.equal([0, true]);
    const [dx] = gradients(() => losses.ctcLoss(labels, x, options), [x]);
    expect(rowsOf(denseOf(dx), 4)[0]).to.deep.equal([0, 0, 0, 0]);
  });

  it('refuses what does not fit', () => {
    const x = randomTensor([4, 2, 3]);
    const at =
      (labels: unknown, options = {}) =>
      () =>
        losses.ctcLoss(labels as never, x, options);
    expect(at([[0]])).to.throw(RangeError, 'labels has 1 lists, logits has 2 sequences');
    expect(at([[0], [3]])).to.throw(RangeError, 'labels[1] must hold classes, whole numbers from 0 to 1, got 3');
    expect(at([[0], [-1]])).to.throw(RangeError, 'labels[1] must hold classes');
    expect(at([[2, 0], [0]])).to.throw(RangeError, 'labels[0] must hold no label after a blank, which is 2');
    expect(at([0, 1, 0])).to.throw(RangeError, 'labels has 3 elements');
    expect(at([['0'], [0]])).to.throw(TypeError, 'labels[0] must hold numbers');
    expect(at([[0], [0]], { sequenceLength: [4] })).to.throw(RangeError, 'sequenceLength has 1 elements');
    expect(at([[0], [0]], { sequenceLength: [4, 5] })).to.throw(
      RangeError,
      'sequenceLength must be whole numbers from 0 to the 4 times',
    );
    expect(at([[0], [0]], { timeMajor: 1 })).to.throw(TypeError, 'timeMajor must be a boolean');
    expect(() => losses.ctcLoss([[0]], randomTensor([4, 3]))).to.throw(RangeError, 'expected [times, batch, classes]');
  });

  describe('in what is compiled', () => {
    const inputs = {
      x: { shape: [6, 2, 4] },
      labels: { shape: [2, 3], dtype: 'int32' },
      lengths: { shape: [2], dtype: 'int32' },
    } as const;
    const x = randomTensor([6, 2, 4], { dtype: 'float32' });

    it('takes labels and lengths with each run, and gives the same bytes', () => {
      const compiled = compile(
        (given) => {
          const loss = (): Tensor => losses.ctcLoss(given.labels, given.x, { sequenceLength: given.lengths });
          return [loss(), gradients(loss, [given.x])[0] as Tensor];
        },
        { inputs },
      );
      for (const [labels, lengths] of [
        [
          [0, 1, 2, 2, 3, 3],
          [6, 4],
        ],
        [
          [3, 3, 3, 1, 1, 3],
          [0, 6],
        ],
      ] as const) {
        // prettier-ignore
        const eager = (): Tensor => losses.ctcLoss(labels, x, { sequenceLength: lengths });
        const [loss, dx] = compiled.runSync({ x, labels: tensor(labels, [2, 3], 'int32'), lengths });
        expect(loss!.data).to.deep.equal(eager().data);
        expect(dx!.data).to.deep.equal(denseOf(gradients(eager, [x])[0]));
      }
    });

    it('refuses labels in the run that are no classes or do not fit', () => {
      const compiled = compile((given) => losses.ctcLoss(given.labels, given.x, { sequenceLength: given.lengths }), {
        inputs,
      });
      for (const [labels, lengths] of [
        [
          [0, 4, 3, 3, 3, 3],
          [6, 6],
        ],
        [
          [3, 0, 3, 3, 3, 3],
          [6, 6],
        ],
        [
          [0, 1, 2, 3, 3, 3],
          [2, 6],
        ],
        [
          [0, 3, 3, 0, 3, 3],
          [7, 6],
        ],
        [
          [-1, 3, 3, 0, 3, 3],
          [6, 6],
        ],
      ] as const) {
        // prettier-ignore
        expect(() => compiled.runSync({ x, labels, lengths })).to.throw(RangeError);
      }
    });

    it('keeps labels that are given with the function', () => {
      const compiled = compile((given) => losses.ctcLoss([[0, 1], []], given.x), { inputs: { x: inputs.x } });
      expect(compiled.runSync({ x }).data).to.deep.equal(losses.ctcLoss([[0, 1], []], x).data);
    });
  });

  for (const [dtype, make] of dtypes) {
    it(`gives the same bits everywhere (${dtype})`, () => {
      const labels = [3, 17, 0, 30].map((count) => Array.from({ length: count }, (_, i) => (i * i) % 36));
      const x = tensor(random(make, 70 * 4 * 37, 5), [70, 4, 37], dtype);
      expectSameEverywhere('ctcLoss', () => {
        const [dx] = gradients(() => losses.ctcLoss(labels, x), [x]);
        return [losses.ctcLoss(labels, x).data, denseOf(dx)];
      });
    });
  }
});
