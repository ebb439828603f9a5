import { expect } from 'chai';
import {
  AdagradOptimizer,
  AdamOptimizer,
  clipByGlobalNorm,
  GradientDescentOptimizer,
  IndexedSlices,
  MomentumOptimizer,
  tensor,
  variable,
  type Clippable,
} from 'gradstep';

const one = (): Float32Array => Float32Array.of(1);

describe('calls that throw', () => {
  it('a refused first step makes no powers: what beta was then is forgotten', () => {
    const [v, other] = [variable([1]), variable([1])];
    let beta1 = 0.5;
    const [optimizer, fresh] = [new AdamOptimizer({ beta1: () => beta1 }), new AdamOptimizer({ beta1: () => beta1 })];
    expect(() => optimizer.applyGradients([[new Float32Array(2), v]])).to.throw(RangeError);
    expect(optimizer.variables().map(({ name }) => name)).to.deep.equal([]);
    beta1 = 0.9;
    optimizer.applyGradients([[one(), v]]);
    fresh.applyGradients([[one(), other]]);
    expect(v.item()).to.equal(other.item());
  });

  it('a refused first step makes no slots for the groups before the one that is wrong', () => {
    const [v, w] = [variable([1]), variable([1])];
    const groups = [{ variables: [w], momentum: 0.5 }];
    const optimizer = new MomentumOptimizer({ learningRate: 1, momentum: 0.9, groups });
    const pairs = [[one(), v] as const, [new Float32Array(2), w] as const];
    expect(() => optimizer.applyGradients(pairs)).to.throw(RangeError);
    expect(optimizer.getSlotNames()).to.deep.equal([]);
    expect(optimizer.variables()).to.deep.equal([]);
    expect(optimizer.getSlot(v, 'momentum')).to.equal(null);
    expect([v.item(), w.item()]).to.deep.equal([1, 1]);
  });

  it('createSlots that throws makes none', () => {
    const [v, w] = [variable([1]), variable([1])];
    const mine = (): never => {
      throw new Error('mine');
    };
    for (const optimizer of [
      new AdamOptimizer({ beta1: mine }),
      new AdamOptimizer({ groups: [{ variables: [w], beta2: mine }] }),
      new AdagradOptimizer({ learningRate: 1, groups: [{ variables: [w], initialAccumulatorValue: mine }] }),
    ]) {
      expect(() => optimizer.createSlots([v, w])).to.throw('mine');
      expect(optimizer.variables().map(({ name }) => name)).to.deep.equal([]);
      expect(optimizer.getSlotNames()).to.deep.equal([]);
    }
  });

  it("a refused gradient's factor is not that of the next step", () => {
    const v = variable([0, 0]);
    const optimizer = new GradientDescentOptimizer({ learningRate: 1 });
    const mine = Float32Array.of(1, 1);
    optimizer.applyGradients([[mine, v]]);
    const [[gone]] = clipByGlobalNorm([tensor([30, 40])], 5);
    gone.dispose();
    expect(() => optimizer.applyGradients([[gone, v]])).to.throw(Error, 'disposed');
    optimizer.applyGradients([[mine, v]]);
    expect(v.toArray()).to.deep.equal([-2, -2]);
  });

  it('clipping a list in place scales no entry when one of them is over', () => {
    const gone = tensor([1]);
    gone.dispose();
    const moved = Float32Array.of(1);
    const slices = new IndexedSlices(moved, [0], [1]);
    structuredClone(moved.buffer, { transfer: [moved.buffer] });
    for (const last of [gone, new IndexedSlices(gone, [0], [1]), slices]) {
      for (const options of [{ useNorm: 5 }, {}, { useNorm: NaN, nonFinite: 'zero' }] as const) {
        const [a, b] = [tensor([3, 4]), Float64Array.of(3, 4)];
        const list: Clippable[] = [a, b, last];
        expect(() => clipByGlobalNorm(list, 1, { ...options, inPlace: true })).to.throw(Error);
        expect(a.toArray()).to.deep.equal([3, 4]);
        expect([...b]).to.deep.equal([3, 4]);
      }
    }
  });
});
