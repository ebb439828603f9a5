import { expect } from 'chai';
import { gradients, keep, ops, tensor, tidy, variable, type FloatArray, type Tensor } from 'gradstep';

const over =
  'this tensor was an intermediate result of a step that is over; pass it to keep() inside the step to hold on to it';

describe('an intermediate tensor', () => {
  const x = tensor([1, 2, 3]);

  it('is gone after the step, and says what to do about it', () => {
    let middle: Tensor | undefined;
    gradients(() => ops.reduceSum((middle = ops.square(x))), [x]);
    expect(middle!.isDisposed).to.equal(true);
    for (const read of [() => middle!.data, () => middle!.toArray(), () => ops.add(middle!, 1), () => keep(middle!)]) {
      expect(read).to.throw(Error, over);
    }
    expect(() => ops.reshape(middle!, [3])).to.throw(Error, over);
  });

  it('stays where keep() holds on to it', () => {
    let middle: Tensor | undefined;
    gradients(() => ops.reduceSum(keep((middle = ops.square(x)))), [x]);
    gradients(() => ops.reduceSum(ops.exp(x)), [x]);
    expect(middle!.toArray()).to.deep.equal([1, 4, 9]);
    middle!.dispose();
    expect(() => middle!.data).to.throw(Error, 'this tensor has been disposed of');
  });

  it('stays where a view of it is kept', () => {
    let view: Tensor | undefined;
    gradients(() => {
      const y = ops.square(x);
      view = keep(ops.reshape(y, [3, 1]));
      return ops.reduceSum(y);
    }, [x]);
    gradients(() => ops.reduceSum(ops.exp(x)), [x]);
    expect(view!.toArray()).to.deep.equal([[1], [4], [9]]);
  });

  it('is gone after a step that throws, too', () => {
    let middle: Tensor | undefined;
    expect(() =>
      gradients(() => {
        middle = ops.square(x);
        throw new Error('stop');
      }, [x]),
    ).to.throw('stop');
    expect(() => middle!.data).to.throw(Error, over);
  });

  it('gives its memory to steps to come', () => {
    const w = variable(new Float32Array(12345));
    const used = new Set<FloatArray>();
    for (let step = 0; step < 10; step++) {
      const [gradient] = gradients(() => {
        const y = ops.exp(w);
        const z = ops.square(y);
        used.add(y.data).add(z.data);
        return ops.reduceSum(z);
      }, [w]);
      gradient!.dispose();
    }
    expect(used.size).to.be.at.most(5); // two values and their gradients, and that of w
  });
});

describe('tidy', () => {
  const x = tensor([1, 2, 3]);

  it('frees all that was made in it but what it returns', () => {
    const made: Tensor[] = [];
    const result = tidy(() => {
      made.push(ops.square(x), ops.exp(x), ops.identity(x));
      return ops.reduceSum(made[0]!);
    });
    expect(result.item()).to.equal(14);
    for (const tensor of made) expect(() => tensor.data).to.throw(Error, over);
    expect(x.toArray()).to.deep.equal([1, 2, 3]);
  });

  it('finds what it returns inside of arrays and objects', () => {
    const result = tidy(() => ({ list: [ops.square(x)], deep: { y: ops.neg(x) }, text: 'loss', none: null }));
    expect(result.list[0]!.toArray()).to.deep.equal([1, 4, 9]);
    expect(result.deep.y.toArray()).to.deep.equal([-1, -2, -3]);
  });

  it('hands what it returns to the tidy around it', () => {
    let inner: Tensor | undefined;
    tidy(() => {
      inner = tidy(() => ops.square(x));
      expect(inner.toArray()).to.deep.equal([1, 4, 9]);
    });
    expect(() => inner!.data).to.throw(Error, over);
  });

  it('frees all when its function throws', () => {
    let middle: Tensor | undefined;
    expect(() =>
      tidy(() => {
        middle = ops.square(x);
        throw new Error('stop');
      }),
    ).to.throw('stop');
    expect(() => middle!.data).to.throw(Error, over);
    expect(tidy(() => ops.square(x)).toArray()).to.deep.equal([1, 4, 9]);
  });

  it('leaves to the way back what that still reads', () => {
    const [dx] = gradients(() => tidy(() => ops.reduceSum(tidy(() => ops.exp(ops.square(x))))), [x]);
    const expected = [1, 2, 3].map((value) => 2 * value * Math.exp(value ** 2));
    (dx as Tensor).data.forEach((value, i) => expect(value / expected[i]!).to.be.closeTo(1, 1e-5));
  });

  it('refuses a function that is async', () => {
    expect(() => tidy(() => Promise.resolve(1))).to.throw(
      TypeError,
      'tidy takes a function that returns its result, not a Promise',
    );
  });
});

describe('keep', () => {
  it('refuses what is no tensor', () => {
    expect(() => keep([1] as never)).to.throw(TypeError, 'keep takes a Tensor');
  });

  it('gives the tensor back', () => {
    const x = tensor([1]);
    expect(keep(x)).to.equal(x);
  });
});
