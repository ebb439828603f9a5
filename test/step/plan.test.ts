import { expect } from 'chai';
import {
  AdagradOptimizer,
  AdamOptimizer,
  clipByGlobalNorm,
  GradientDescentOptimizer,
  IndexedSlices,
  MomentumOptimizer,
  NadamOptimizer,
  ops,
  tensor,
  variable,
  Variable,
  type Optimizer,
  type Tensor,
} from 'gradstep';

const ones = (n: number): Float32Array => new Float32Array(n).fill(1);
const namesOf = (optimizer: Optimizer): string[] => optimizer.variables().map(({ name }) => name);

describe('a step that is being prepared', () => {
  it('leaves no trace when it is refused: no slots, no powers, no factors', () => {
    const [a, b] = [variable([1], { name: 'a' }), variable([1, 2], { name: 'b' })];
    for (const make of [
      () => new AdamOptimizer({ groups: [{ variables: [b], beta1: 0.5 }] }),
      () => new NadamOptimizer(),
      () => new MomentumOptimizer({ learningRate: 1, momentum: 0.9 }),
    ]) {
      const optimizer = make();
      expect(() =>
        optimizer.applyGradients([
          [ones(1), a],
          [ones(3), b],
        ]),
      ).to.throw(RangeError);
      expect(namesOf(optimizer)).to.deep.equal([]);
      expect(optimizer.getSlotNames()).to.deep.equal([]);
    }
    expect(a.item()).to.equal(1);
  });

  it('asks the functions of the user first, whatever these do', () => {
    const a = variable([0], { name: 'a' });
    const b = variable([0], { name: 'b' });
    let depth = 0;
    const optimizer: AdamOptimizer = new AdamOptimizer({
      learningRate: () => {
        if (depth++ < 3) optimizer.applyGradients([[ones(1), depth % 2 === 1 ? b : a]]);
        return 0.1;
      },
    });
    optimizer.applyGradients([[ones(1), a]]);
    const plain = new AdamOptimizer({ learningRate: 0.1 });
    const [a2, b2] = [variable([0]), variable([0])];
    // The innermost comes first: b, a, b, then a. Powers advance with every step.
    for (const v of [b2, a2, b2, a2]) plain.applyGradients([[ones(1), v]]);
    expect([a.item(), b.item()]).to.deep.equal([a2.item(), b2.item()]);
    const values = (o: Optimizer): number[][] => o.variables().map(({ data }) => [...data]);
    expect(values(optimizer)).to.deep.equal(values(plain));
  });

  it('does not read the list again', () => {
    const [a, b] = [variable([0]), variable([0])];
    const pairs: [Float32Array, Variable][] = [
      [Float32Array.of(1), a],
      [Float32Array.of(100), b],
    ];
    const optimizer = new GradientDescentOptimizer({
      learningRate: () => {
        pairs.reverse();
        pairs[0]![0] = Float32Array.of(7);
        pairs.length = 1;
        return 1;
      },
    });
    optimizer.applyGradients(pairs);
    expect([a.item(), b.item()]).to.deep.equal([-1, -100]);
  });

  it('sees memory that an initial value has taken away', () => {
    const mine = ones(4096);
    const optimizer = new AdagradOptimizer({
      learningRate: 1,
      initialAccumulatorValue: () => {
        structuredClone(mine, { transfer: [mine.buffer as ArrayBuffer] });
        return 0.1;
      },
    });
    const v = variable(new Float32Array(4096));
    expect(() => optimizer.applyGradients([[mine, v]])).to.throw(Error, '0 elements, expected 4096');
    expect(namesOf(optimizer)).to.deep.equal([]);
    expect(v.data.every((x) => x === 0)).to.equal(true);
  });
});

describe('gradients that are like those of the step before', () => {
  it('are still refused when they are of another dtype', () => {
    const v = variable([1, 2]);
    const optimizer = new GradientDescentOptimizer({ learningRate: 1 });
    optimizer.applyGradients([[tensor([1, 1]), v]]);
    expect(() => optimizer.applyGradients([[tensor(Float64Array.of(1, 1)), v]])).to.throw(TypeError, 'float64');
    expect(() => optimizer.applyGradients([[tensor([1, 1], [2], 'int32') as never, v]])).to.throw(TypeError, 'int32');
    expect(v.toArray()).to.deep.equal([0, 1]);
  });

  it('are still refused when they are gone, or their memory is', () => {
    const v = variable([1, 2]);
    const optimizer = new GradientDescentOptimizer({ learningRate: 1 });
    const [disposed, taken] = [tensor([1, 1]), tensor([1, 1])];
    for (const gradient of [disposed, taken]) optimizer.applyGradients([[gradient, v]]);
    disposed.dispose();
    structuredClone(taken.data, { transfer: [taken.data.buffer as ArrayBuffer] });
    expect(() => optimizer.applyGradients([[disposed, v]])).to.throw(Error, 'disposed');
    expect(() => optimizer.applyGradients([[taken, v]])).to.throw(Error, '0 elements, expected 2');
    expect(v.toArray()).to.deep.equal([-1, 0]);
  });

  it('are still refused when they overlap what the step writes', () => {
    const [a, b] = [variable([1, 2], { name: 'a' }), variable([3, 4], { name: 'b' })];
    const optimizer = new GradientDescentOptimizer({ learningRate: 1 });
    const step = (ofA: Tensor) =>
      optimizer.applyGradients([
        [ofA, a],
        [tensor([1, 1]), b],
      ]);
    step(tensor([1, 1]));
    expect(() => step(ops.reshape(b, [2]))).to.throw(RangeError, "gradient of 'a' overlaps variable 'b'");
    step(tensor([1, 1]));
    expect([a.toArray(), b.toArray()]).to.deep.equal([
      [-1, 0],
      [1, 2],
    ]);
  });

  it('step as if each variable had an optimizer of its own, dense, sparse or arrays that come again, in turn', () => {
    const make = (): Variable[] => [0, 1, 2].map((x) => variable([x, -x, 2 * x, 1], { shape: [2, 2] }));
    const [together, apart] = [make(), make()];
    const one = new AdamOptimizer();
    const own = apart.map(() => new AdamOptimizer());
    const array = Float32Array.of(1, 2, 3, 4);
    for (let step = 0; step < 12; step++) {
      array[step % 4]! += 1;
      const sparse = new IndexedSlices([[step + 1, 2]], [step % 2], [2, 2]);
      const rows = new IndexedSlices([[1, 1], [2, step], [1, 3]], [1, 0, 1], [2, 2]); // prettier-ignore
      const [dense] = clipByGlobalNorm([tensor([step, 1, 2, 3], [2, 2])], 0.5)[0];
      const kinds: (Tensor | IndexedSlices | Float32Array)[] = [dense, step % 3 === 0 ? sparse : rows, array];
      const gradients = kinds.map((_, i) => kinds[step < 6 || step % 2 === 0 ? i : (i + step) % 3]!);
      if (step % 4 === 3) gradients.fill(dense);
      one.applyGradients(together.map((v, i) => [gradients[i]!, v] as const));
      apart.forEach((v, i) => own[i]!.applyGradients([[gradients[i]!, v]]));
    }
    expect(together.map((v) => v.toArray())).to.deep.equal(apart.map((v) => v.toArray()));
  });
});

describe('a constraint that throws', () => {
  it('has everything put back, also where an array lies about its length', () => {
    const own = Object.defineProperty(new Float32Array(4), 'length', { value: 2 ** 20 });
    const refuse = (): never => {
      throw new Error('mine');
    };
    const v = Variable.over(own, { constraint: refuse });
    const optimizer = new AdamOptimizer();
    expect(() => optimizer.applyGradients([[ones(4), v]])).to.throw('mine');
    expect(v.toArray()).to.deep.equal([0, 0, 0, 0]);
    expect(namesOf(optimizer)).to.deep.equal([]);
  });
});

describe('lists of variables', () => {
  it('may alternate, with gradients for some only, as if each had an optimizer of its own', () => {
    const make = (): Variable[] => [1, 2, 3, 4].map((x) => variable([x, -x]));
    const [mixed, apart] = [make(), make()];
    const one = new MomentumOptimizer({ learningRate: 0.1, momentum: 0.9 });
    const two = [0, 1].map(() => new MomentumOptimizer({ learningRate: 0.1, momentum: 0.9 }));
    for (let step = 0; step < 20; step++) {
      const half = step % 2;
      const gradient = (i: number) => (step % 3 === 0 && i % 2 === 1 ? null : Float32Array.of(step, i));
      const pairs = (list: Variable[]) => list.slice(2 * half, 2 * half + 2).map((v, i) => [gradient(i), v] as const);
      one.applyGradients(pairs(mixed));
      two[half]!.applyGradients(pairs(apart));
    }
    expect(mixed.map((v) => v.toArray())).to.deep.equal(apart.map((v) => v.toArray()));
  });
});

describe('memory that a step would write twice, or read while it is written', () => {
  const optimizer = (): Optimizer => new MomentumOptimizer({ learningRate: 1, momentum: 0.9 });
  const all = Float32Array.from({ length: 101 }, (_, i) => i);
  const before = [...all];

  it('is refused: two variables that overlap', () => {
    const [a, b] = [Variable.over(all.subarray(0, 60), { name: 'a' }), Variable.over(all.subarray(59), { name: 'b' })];
    expect(() =>
      optimizer().applyGradients([
        [ones(60), a],
        [ones(42), b],
      ]),
    ).to.throw(RangeError, "variable 'a' and variable 'b' overlap in memory");
    expect([...all]).to.deep.equal(before);
  });

  it('is refused: a gradient across its variable, a slot or another variable of the step', () => {
    const [a, b] = [
      Variable.over(all.subarray(0, 50), { name: 'a' }),
      Variable.over(all.subarray(50, 100), { name: 'b' }),
    ];
    const o = optimizer();
    const refused = (gradient: Float32Array, of: string) =>
      expect(() =>
        o.applyGradients([
          [gradient, a],
          [ones(50), b],
        ]),
      ).to.throw(RangeError, `overlaps ${of} in memory`);
    refused(all.subarray(1, 51), "variable 'b'");
    refused(all.subarray(50, 100), "variable 'b'");
    expect([...all]).to.deep.equal(before);
    o.applyGradients([
      [new Float32Array(50), a],
      [new Float32Array(50), b],
    ]);
    refused(o.getSlot(a, 'momentum')!.data as Float32Array, "slot 'a/Momentum'");
  });

  it('is fine where a dense gradient is the very memory of its variable', () => {
    const v = variable([1, 2, 3]);
    new GradientDescentOptimizer({ learningRate: 0.5 }).applyGradients([[v.data, v]]);
    expect(v.toArray()).to.deep.equal([0.5, 1, 1.5]);
  });
});

describe('disposal', () => {
  it('ends a variable: what uses it says so, and its optimizer forgets its slots', () => {
    const [a, b] = [variable([1], { name: 'a' }), variable([1], { name: 'b' })];
    const optimizer = new MomentumOptimizer({ learningRate: 1, momentum: 0.9 });
    optimizer.applyGradients([
      [ones(1), a],
      [ones(1), b],
    ]);
    a.dispose();
    a.dispose();
    expect(a.isDisposed).to.equal(true);
    expect(() => a.data).to.throw("variable 'a' has been disposed of");
    expect(() =>
      optimizer.applyGradients([
        [ones(1), a],
        [ones(1), b],
      ]),
    ).to.throw("variable 'a' has been disposed of");
    expect(b.item()).to.equal(0);
    expect(namesOf(optimizer)).to.deep.equal(['b/Momentum']);
  });

  it('ends an optimizer: its state is gone, and it refuses to step', () => {
    const v = variable([1], { name: 'v' });
    const optimizer = new AdamOptimizer();
    optimizer.applyGradients([[ones(1), v]]);
    optimizer.dispose();
    expect(optimizer.variables()).to.deep.equal([]);
    expect(() => optimizer.applyGradients([[ones(1), v]])).to.throw('this optimizer has been disposed of');
  });
});
