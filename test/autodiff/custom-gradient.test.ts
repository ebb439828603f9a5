import { expect } from 'chai';
import { customGradient, gradients, IndexedSlices, ops, tensor, variable, type Tensor } from 'gradstep';
import { denseOf, expectClose, expectGradients, randomTensor } from '../support/numeric-gradient';

describe('customGradient', () => {
  it('replaces the gradient of the ops inside', () => {
    const log1pExp = customGradient((x) => {
      const e = ops.exp(x);
      return {
        value: ops.log(ops.add(1, e)),
        gradient: (dy) => [ops.mul(dy, ops.sub(1, ops.div(1, ops.add(1, e))))],
      };
    });
    expectGradients((x) => log1pExp(x), [randomTensor([17])]);
    const x = tensor(Float64Array.of(1000));
    expect(denseOf(gradients(() => log1pExp(x), [x])[0])[0]).to.equal(1);
    const plain = (): Tensor => ops.log(ops.add(1, ops.exp(x)));
    expect(denseOf(gradients(plain, [x])[0])[0]).to.be.NaN;
  });

  it('makes an op of several inputs, with ops before and after it', () => {
    const product = customGradient((x, y) => ({
      value: ops.mul(x, y),
      gradient: (dz) => [ops.mul(dz, y), ops.mul(dz, x)],
    }));
    expectGradients(
      (x, y) => ops.exp(product(ops.square(x), ops.tanh(y))),
      [randomTensor([5]), randomTensor([5], { seed: 2 })],
    );
    expect(product(2, 3).item()).to.equal(6);
  });

  it('reverses a gradient without touching the value', () => {
    const reversed = customGradient((x) => ({ value: x, gradient: (dy) => [ops.neg(dy)] }));
    const w = variable([3]);
    expect(reversed(w).toArray()).to.deep.equal([3]);
    expect([...denseOf(gradients(() => ops.square(reversed(w)), [w])[0])]).to.deep.equal([-6]);
  });

  it('adds up with the gradients that reach an input otherwise', () => {
    const threefold = customGradient((x) => ({ value: ops.identity(x), gradient: (dy) => [ops.mul(dy, 3)] }));
    const x = tensor([1]);
    expect([...denseOf(gradients(() => ops.add(threefold(x), ops.square(x)), [x])[0])]).to.deep.equal([5]);
  });

  it('lets no gradient through to what its function reads but is not given', () => {
    const [x, w] = [tensor([2]), variable([3])];
    const op = customGradient((t) => ({ value: ops.mul(t, w), gradient: (dy) => [dy] }));
    const [dx, dw] = gradients(() => op(x), [x, w]);
    expect([...denseOf(dx)]).to.deep.equal([1]);
    expect(dw).to.equal(null);
  });

  it('may have no gradient, or a sparse one', () => {
    const x = tensor([[1, 2], [3, 4]]); // prettier-ignore
    const none = customGradient((t) => ({ value: ops.square(t), gradient: () => [null] }));
    expect(gradients(() => none(x), [x])).to.deep.equal([null]);
    const sparse = customGradient((t) => ({
      value: ops.square(t),
      gradient: () => [new IndexedSlices([[5, 6]], [1])],
    }));
    const [dx] = gradients(() => sparse(x), [x]);
    expect(dx).to.be.instanceOf(IndexedSlices);
    expect([...denseOf(dx)]).to.deep.equal([0, 0, 5, 6]);
  });

  it('gives a gradient in memory of its own, whatever it is handed', () => {
    const mine = ops.add(tensor([7, 8]), 0);
    const x = tensor([1, 2]);
    const op = customGradient((t) => ({ value: ops.square(t), gradient: () => [mine] }));
    const [dx] = gradients(() => op(x), [x]);
    denseOf(dx).fill(0);
    (dx as Tensor).dispose();
    expect(mine.toArray()).to.deep.equal([7, 8]);
  });

  it('refuses a function that returns something else', () => {
    const from = (custom: unknown) => () => customGradient((_: Tensor) => custom as never)(1);
    expect(from(undefined)).to.throw(TypeError, 'f must return { value, gradient }, got undefined');
    expect(from(Promise.resolve())).to.throw(TypeError, 'f must return { value, gradient }, got a Promise');
    expect(from({ value: 1, gradient: () => [] })).to.throw(TypeError, 'value must be a Tensor, got 1');
    expect(from({ value: tensor(1), gradient: 1 })).to.throw(TypeError, 'gradient must be a function, got 1');
    expect(() => customGradient(1 as never)).to.throw(TypeError, 'f must be a function, got 1');
    expect(() => customGradient((x) => ({ value: x, gradient: () => [] }))('1' as never)).to.throw(
      TypeError,
      'input 0 must be a Tensor',
    );
  });

  it('refuses gradients that do not fit the inputs', () => {
    const x = tensor([[1, 2, 3]]);
    const withGradient = (gradient: unknown) => () =>
      gradients(() => customGradient((t) => ({ value: ops.square(t), gradient: () => gradient as never }))(x), [x]);
    expect(withGradient(x)).to.throw(TypeError, 'gradient must return an array, got a Tensor');
    expect(withGradient([])).to.throw(RangeError, 'gradient must return 1 gradients, one for each input, got 0');
    expect(withGradient([1])).to.throw(
      TypeError,
      'gradient of input 0 must be a Tensor, an IndexedSlices or null, got 1',
    );
    expect(withGradient([tensor([1, 2])])).to.throw(RangeError, 'gradient of input 0 has shape [2], expected [1, 3]');
    expect(withGradient([tensor(new Float64Array(3), [1, 3])])).to.throw(
      TypeError,
      'gradient of input 0 is float64, expected float32',
    );
    expect(withGradient([new IndexedSlices([[1, 2]], [0])])).to.throw(
      RangeError,
      'a row of gradient of input 0 has shape [2], expected [3]',
    );
  });

  it('may ask for gradients itself', () => {
    const x = tensor([2]);
    const op = customGradient((t) => ({
      value: ops.square(t),
      gradient: (dy) => [ops.mul(dy, gradients(() => ops.square(x), [x])[0] as Tensor)],
    }));
    expectClose(denseOf(gradients(() => op(x), [x])[0]), [4], 0);
    expectClose(denseOf(gradients(() => ops.square(x), [x])[0]), [4], 0);
  });
});
