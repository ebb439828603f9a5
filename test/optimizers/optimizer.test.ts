import { expect } from 'chai';
import {
  AdamOptimizer,
  AggregationMethod,
  clipByGlobalNorm,
  createGlobalStep,
  GradientDescentOptimizer,
  IndexedSlices,
  keep,
  MomentumOptimizer,
  ops,
  Optimizer,
  tensor,
  variable,
  Variable,
  type GradientAndVariable,
  type Tensor,
} from 'gradstep';

const sgd = (learningRate = 1): GradientDescentOptimizer => new GradientDescentOptimizer({ learningRate });

describe('computeGradients', () => {
  it('takes the trainable variables that the loss reads, in the order it reads them', () => {
    const [a, b, c] = [variable([1]), variable([2], { trainable: false }), variable([3])];
    const pairs = sgd().computeGradients(() => ops.mul(ops.mul(c, b), a));
    expect(pairs.map(([, v]) => v)).to.deep.equal([c, a]);
    expect(pairs.map(([g]) => (g as Tensor).toArray())).to.deep.equal([[2], [6]]);
    expect(pairs.loss.toArray()).to.deep.equal([6]);
  });

  it('lists the variables of one op from left to right', () => {
    const [a, b] = [variable([1]), variable([3])];
    expect(
      sgd()
        .computeGradients(() => ops.add(a, b))
        .map(([, v]) => v),
    ).to.deep.equal([a, b]);
    expect(
      sgd()
        .computeGradients(() => ops.sub(2, ops.mul(b, a)))
        .map(([, v]) => v),
    ).to.deep.equal([b, a]);
  });

  it('keeps to varList, with null for what the loss does not depend on', () => {
    const [a, b] = [variable([1]), variable([2], { trainable: false })];
    const pairs = sgd().computeGradients(() => ops.square(b), { varList: [a, b] });
    expect(pairs[0]![0]).to.equal(null);
    expect((pairs[1]![0] as Tensor).toArray()).to.deep.equal([4]);
  });

  it('differentiates the sum of a loss that is no scalar, weighted by gradLoss', () => {
    const v = variable([1, 2]);
    const loss = (): Tensor => ops.mul(v, 5);
    expect((sgd().computeGradients(loss)[0]![0] as Tensor).toArray()).to.deep.equal([5, 5]);
    const weighted = sgd().computeGradients(loss, { gradLoss: tensor([42, -42]) });
    expect((weighted[0]![0] as Tensor).toArray()).to.deep.equal([210, -210]);
    expect(() => sgd().computeGradients(loss, { gradLoss: tensor([1]) })).to.throw(
      RangeError,
      'gradLoss has shape [1], loss has shape [2]',
    );
  });

  it('refuses arguments of a wrong kind, by name', () => {
    const v = variable([1]);
    const loss = (): Tensor => ops.square(v);
    const compute = (options: object): unknown => sgd().computeGradients(loss, options);
    expect(() => sgd().computeGradients(tensor([1]) as unknown as () => Tensor)).to.throw(
      TypeError,
      'loss must be a function, got a Tensor',
    );
    expect(() => compute({ varList: [] })).to.throw(Error, 'No variables to optimize');
    expect(() => compute({ varList: v })).to.throw(TypeError, 'varList must be an array of Variables, got a Variable');
    expect(() => compute({ varList: [tensor([1])] })).to.throw(TypeError, 'varList must hold Variables, got a Tensor');
    expect(() => compute({ gateGradients: 7 })).to.throw(RangeError, 'gateGradients must be one of');
    expect(() => compute({ aggregationMethod: 3 })).to.throw(RangeError, 'aggregationMethod must be one of');
    expect(() => compute({ colocateGradientsWithOps: 1 })).to.throw(TypeError, 'colocateGradientsWithOps');
    expect(() => compute({ gradLoss: 'x' })).to.throw(TypeError, 'gradLoss must be a Tensor or a typed array');
    for (const gateGradients of [Optimizer.GATE_NONE, Optimizer.GATE_OP, Optimizer.GATE_GRAPH])
      compute({ gateGradients });
    for (const aggregationMethod of Object.values(AggregationMethod)) compute({ aggregationMethod });
  });
});

describe('gradients that computeGradients returned', () => {
  const v = variable([1, 2]);
  const loss = (): Tensor => ops.l2Loss(v);

  it('stay readable when they are never applied, however many are computed', () => {
    const optimizer = sgd();
    const all = Array.from({ length: 10 }, () => optimizer.computeGradients(loss));
    for (const [[gradient]] of all as unknown as [[Tensor]][]) expect([...gradient.data]).to.deep.equal([...v.data]);
  });

  it('can be read after they were applied, until the next computeGradients takes their memory', () => {
    const optimizer = sgd(0);
    const pairs = optimizer.computeGradients(loss);
    const [clipped] = clipByGlobalNorm(pairs, 1);
    optimizer.applyGradients(clipped);
    expect([...(pairs[0]![0] as Tensor).data]).to.deep.equal([1, 2]);
    optimizer.computeGradients(loss);
    expect(() => (pairs[0]![0] as Tensor).data).to.throw(Error, 'this gradient has been applied');
    expect(() => (clipped[0]![0] as Tensor).data).to.throw(Error, 'this gradient has been applied');
  });

  it('stay for good when they are kept', () => {
    const optimizer = sgd(0);
    const pairs = optimizer.computeGradients(loss);
    const gradient = keep(pairs[0]![0] as Tensor);
    optimizer.applyGradients(pairs);
    optimizer.computeGradients(loss);
    expect([...gradient.data]).to.deep.equal([1, 2]);
  });

  it('leave the loss readable for good', () => {
    const optimizer = sgd(0);
    const losses = Array.from({ length: 5 }, () => optimizer.minimize(loss));
    expect(losses.map((value) => value.item())).to.deep.equal([2.5, 2.5, 2.5, 2.5, 2.5]);
  });
});

describe('applyGradients', () => {
  it('takes tensors, typed arrays, variables and IndexedSlices, over any memory, and skips nulls', () => {
    const vars = [0, 1, 2, 3, 4].map((i) =>
      variable(
        [
          [i, i],
          [i, i],
        ],
        { name: `v${i}` },
      ),
    );
    const own = Variable.over(new Float64Array(new ArrayBuffer(24), 8, 2));
    sgd(0.5).applyGradients([
      [
        tensor([
          [2, 2],
          [2, 2],
        ]),
        vars[0]!,
      ],
      [new Float32Array(new SharedArrayBuffer(16)).fill(2), vars[1]!],
      [vars[3]!, vars[2]!] as unknown as GradientAndVariable,
      [null, vars[3]!],
      [
        new IndexedSlices(
          [
            [2, 4],
            [6, 8],
          ],
          [1, 1],
        ),
        vars[4]!,
      ],
      [Float64Array.of(4, 8), own],
    ]);
    expect(vars.map((v) => v.toArray())).to.deep.equal([
      [
        [-1, -1],
        [-1, -1],
      ],
      [
        [0, 0],
        [0, 0],
      ],
      [
        [0.5, 0.5],
        [0.5, 0.5],
      ],
      [
        [3, 3],
        [3, 3],
      ],
      [
        [4, 4],
        [0, -2],
      ],
    ]);
    expect([...own.data]).to.deep.equal([-2, -4]);
  });

  it('leaves slots of variables without a gradient as they are', () => {
    const [a, b] = [variable([1]), variable([1])];
    const optimizer = new MomentumOptimizer({ learningRate: 1, momentum: 0.5 });
    const g = Float32Array.of(1);
    optimizer.applyGradients([
      [g, a],
      [g, b],
    ]);
    optimizer.applyGradients([
      [g, a],
      [null, b],
    ]);
    expect(optimizer.getSlot(a, 'momentum')!.toArray()).to.deep.equal([1.5]);
    expect(optimizer.getSlot(b, 'momentum')!.toArray()).to.deep.equal([1]);
    optimizer.applyGradients([
      [g, b],
      [g, a],
    ]);
    expect(optimizer.getSlot(a, 'momentum')!.toArray()).to.deep.equal([1.75]);
    expect(optimizer.getSlot(b, 'momentum')!.toArray()).to.deep.equal([1.5]);
  });

  it('increments the global step once, after everything', () => {
    const globalStep = createGlobalStep();
    const v = variable([1], {
      constraint: (value) => {
        expect(globalStep.value).to.equal(0);
        return value;
      },
    });
    sgd().applyGradients([[Float32Array.of(1), v]], { globalStep });
    expect(globalStep.value).to.equal(1);
  });

  it('applies constraints after dense updates', () => {
    const v = variable([1, 2], { constraint: (value) => value.data.map((x) => Math.max(x, 0)) });
    sgd(3).applyGradients([[Float32Array.of(0.1, 1), v]]);
    expect(v.data[0]).to.be.closeTo(0.7, 1e-6);
    expect(v.data[1]).to.equal(0);
  });

  it('puts everything back when a constraint throws or returns nonsense', () => {
    const optimizer = new AdamOptimizer();
    const globalStep = createGlobalStep();
    let mode = 'fine';
    const w = variable([5, 6]);
    const v = variable([1, 2], {
      constraint: (value) => {
        if (mode === 'throws') throw new Error('no');
        return mode === 'fine' ? value : ('x' as unknown as Tensor);
      },
    });
    const g = Float32Array.of(1, 1);
    const step = (): boolean =>
      optimizer.applyGradients(
        [
          [g, w],
          [g, v],
        ],
        { globalStep },
      );
    step();
    const state = (): number[][] => [w, v, ...optimizer.variables()].map(({ data }) => [...data]);
    const before = state();
    mode = 'throws';
    expect(step).to.throw(Error, 'no');
    mode = 'nonsense';
    expect(step).to.throw(TypeError, `constraint of '${v.name}' must return a Tensor or a typed array, got "x"`);
    expect(state()).to.deep.equal(before);
    expect(globalStep.value).to.equal(1);
  });

  it('shares state between lists of the same variables in another order, and between steps of subsets', () => {
    const [a, b] = [variable([1]), variable([1])];
    const [c, d] = [variable([1]), variable([1])];
    const [one, two] = [
      new MomentumOptimizer({ learningRate: 1, momentum: 0.9 }),
      new MomentumOptimizer({ learningRate: 1, momentum: 0.9 }),
    ];
    const g = Float32Array.of(0.1);
    for (let i = 0; i < 4; i++) {
      one.applyGradients(
        i % 2 === 0
          ? [
              [g, a],
              [g, b],
            ]
          : [
              [g, b],
              [g, a],
            ],
      );
      two.applyGradients([[g, c]]);
      two.applyGradients([[g, d]]);
    }
    expect([a, b].map((v) => v.item())).to.deep.equal([c, d].map((v) => v.item()));
  });

  it('handles 10,000 variables and empty ones', () => {
    const many = Array.from({ length: 10_000 }, (_, i) => variable(new Float32Array(i % 7).fill(1)));
    const optimizer = new AdamOptimizer({ learningRate: 0.5 });
    optimizer.applyGradients(many.map((v) => [new Float32Array(v.size).fill(1), v]));
    expect(many.every((v) => v.data.every((x) => Math.abs(x - 0.5) < 1e-6))).to.equal(true);
  });
});

describe('applyGradients refuses, and changes nothing', () => {
  const a = variable(
    [
      [1, 2],
      [3, 4],
    ],
    { name: 'a' },
  );
  const b = variable(Float64Array.of(5), { name: 'b' });
  const good = new Float32Array(4).fill(1);
  const refused: [what: string, pairs: unknown, kind: ErrorConstructor, message: string][] = [
    ['what is no iterable', 5, TypeError, 'gradsAndVars must be an iterable of [gradient, variable] pairs, got 5'],
    ['an empty list', [], Error, 'No variables provided.'],
    [
      'a list without gradients',
      [
        [null, a],
        [null, b],
      ],
      Error,
      "No gradients provided for any variable: ['a', 'b'].",
    ],
    ['items that are no pairs', [[good, a], good], TypeError, 'gradsAndVars must hold [gradient, variable] pairs'],
    [
      'gradients of what is no variable',
      [[good, tensor([1])]],
      TypeError,
      'pair gradients with Variables, got a Tensor',
    ],
    [
      'a variable that occurs twice',
      [
        [good, a],
        [good, a],
      ],
      Error,
      "variable 'a' occurs twice in gradsAndVars",
    ],
    [
      'a wrong kind of gradient',
      [
        [good, a],
        ['x', b],
      ],
      TypeError,
      "gradient of 'b' must be a Tensor, IndexedSlices",
    ],
    [
      'undefined as a gradient',
      [
        [good, a],
        [undefined, b],
      ],
      TypeError,
      "gradient of 'b' must be",
    ],
    ['a wrong shape', [[tensor([[1, 2, 3, 4]]), a]], RangeError, "gradient of 'a' has shape [1, 4], expected [2, 2]"],
    ['a wrong length', [[new Float32Array(3), a]], RangeError, "gradient of 'a' has 3 elements, expected 4"],
    [
      'a wrong dtype',
      [
        [good, a],
        [Float32Array.of(1), b],
      ],
      TypeError,
      "gradient of 'b' is float32, expected float64",
    ],
    [
      'rows out of range',
      [
        [
          new IndexedSlices(
            [
              [1, 1],
              [1, 1],
            ],
            [0, 2],
          ),
          a,
        ],
      ],
      RangeError,
      'indices[1] = 2, expected 0 to 2',
    ],
    ['negative rows', [[new IndexedSlices([[1, 1]], [-1]), a]], RangeError, 'indices[0] = -1'],
    [
      'rows of a wrong shape',
      [[new IndexedSlices([[1], [1]], [0, 1]), a]],
      RangeError,
      'values of shape [2, 1], expected [2, 2]',
    ],
  ];
  for (const [what, pairs, kind, message] of refused) {
    it(what, () => {
      const optimizer = new AdamOptimizer();
      const globalStep = createGlobalStep();
      const apply = (): boolean => optimizer.applyGradients(pairs as GradientAndVariable[], { globalStep });
      expect(apply).to.throw(kind, message);
      expect([...a.data, ...b.data]).to.deep.equal([1, 2, 3, 4, 5]);
      expect(globalStep.value).to.equal(0);
      expect(optimizer.getSlotNames()).to.deep.equal([]);
    });
  }

  it('a sparse gradient for a variable with a constraint, or without rows', () => {
    const constrained = variable([1], { name: 'c', constraint: (x) => x });
    expect(() => sgd().applyGradients([[new IndexedSlices([1], [0]), constrained]])).to.throw(Error, 'constraint');
    const scalar = variable(1, { name: 's' });
    expect(() => sgd().applyGradients([[new IndexedSlices([1], [0]), scalar]])).to.throw(RangeError, 'no rows');
  });

  it('a global step that is none', () => {
    const options = { globalStep: 5 as unknown as ReturnType<typeof createGlobalStep> };
    expect(() => sgd().applyGradients([[good, a]], options)).to.throw(
      TypeError,
      'globalStep must be a GlobalStep, got 5',
    );
  });

  it('a hyperparameter function that returns nonsense or throws', () => {
    for (const [value, kind] of [
      [NaN, RangeError],
      [-1, RangeError],
      ['x', TypeError],
      [Infinity, RangeError],
    ] as const) {
      const optimizer = new AdamOptimizer({ learningRate: () => value as number });
      expect(() => optimizer.applyGradients([[good, a]])).to.throw(kind, 'learningRate must be');
    }
    const throwing = new AdamOptimizer({
      epsilon: () => {
        throw new Error('from the user');
      },
    });
    expect(() => throwing.applyGradients([[good, a]])).to.throw(Error, 'from the user');
    expect([...a.data]).to.deep.equal([1, 2, 3, 4]);
  });

  it('memory that is gone', () => {
    const buffer = new ArrayBuffer(16);
    const v = Variable.over(new Float32Array(buffer), { name: 'v' });
    const optimizer = sgd();
    optimizer.applyGradients([[good, v]]);
    structuredClone(buffer, { transfer: [buffer] });
    expect(() =>
      optimizer.applyGradients([
        [good, a],
        [good, v],
      ]),
    ).to.throw(Error, "memory of 'v' now has 0 elements, expected 4");
    const detached = new Float32Array(4);
    structuredClone(detached.buffer, { transfer: [detached.buffer] });
    expect(() => optimizer.applyGradients([[detached, a]])).to.throw(RangeError, "gradient of 'a' has 0 elements");
    expect([...a.data]).to.deep.equal([1, 2, 3, 4]);
  });

  it('memory that shrank or grew', () => {
    type Flexible = new (
      bytes: number,
      options: { maxByteLength: number },
    ) => ArrayBuffer & Record<'resize' | 'grow', (bytes: number) => void>;
    const resizable = new (ArrayBuffer as unknown as Flexible)(16, { maxByteLength: 32 });
    const growable = new (SharedArrayBuffer as unknown as Flexible)(16, { maxByteLength: 32 });
    const v = Variable.over(new Float32Array(resizable), { name: 'v' });
    const w = Variable.over(new Float32Array(growable), { name: 'w' });
    const optimizer = sgd();
    optimizer.applyGradients([
      [good, v],
      [good, w],
    ]);
    resizable.resize(8);
    expect(() =>
      optimizer.applyGradients([
        [good, v],
        [good, w],
      ]),
    ).to.throw(Error, "memory of 'v' now has 2 elements");
    resizable.resize(16);
    growable.grow(32);
    expect(() =>
      optimizer.applyGradients([
        [good, v],
        [good, w],
      ]),
    ).to.throw(Error, "memory of 'w' now has 8 elements");
    expect([...v.data]).to.deep.equal([-1, -1, 0, 0]);
  });
});

describe('minimize', () => {
  it('is computeGradients and applyGradients, and returns the loss', () => {
    const v = variable([1, 2]);
    const globalStep = createGlobalStep();
    const loss = sgd(3).minimize(() => ops.mul(v, 5), { gradLoss: tensor([42, -42]), globalStep });
    expect(loss.toArray()).to.deep.equal([5, 10]);
    expect(v.toArray()).to.deep.equal([-629, 632]);
    expect(globalStep.value).to.equal(1);
  });

  it('says which variables have no gradient', () => {
    const v = variable([1], { name: 'v' });
    expect(() => sgd().minimize(() => tensor([1]), { varList: [v] })).to.throw(
      Error,
      'No gradients provided for any variable',
    );
    expect(() => sgd().minimize(() => tensor([1]))).to.throw(Error, 'No gradients provided for any variable');
  });
});

describe('introspection', () => {
  it('names slots and state as TensorFlow does', () => {
    const [a, b] = [variable([1], { name: 'a' }), variable([2], { name: 'b' })];
    const optimizer = new AdamOptimizer({ name: 'Mine' });
    expect(optimizer.getSlotNames()).to.deep.equal([]);
    expect(optimizer.getSlot(a, 'm')).to.equal(null);
    optimizer.applyGradients([
      [Float32Array.of(1), a],
      [Float32Array.of(1), b],
    ]);
    expect(optimizer.getSlotNames()).to.deep.equal(['m', 'v']);
    expect(optimizer.getSlot(a, 'm')!.name).to.equal('a/Mine');
    expect(optimizer.getSlot(a, 'v')!.name).to.equal('a/Mine_1');
    expect(optimizer.getSlot(a, 'm')!.trainable).to.equal(false);
    expect(optimizer.getSlot(a, 'nothing')).to.equal(null);
    expect(optimizer.variables().map(({ name }) => name)).to.deep.equal([
      'a/Mine',
      'a/Mine_1',
      'b/Mine',
      'b/Mine_1',
      'beta1_power',
      'beta2_power',
    ]);
    expect(optimizer.getName()).to.equal('Mine');
    expect(sgd().getName()).to.equal('GradientDescent');
    expect(() => new AdamOptimizer({ name: '' })).to.throw(RangeError, 'name must not be empty');
  });

  it('makes slots ahead of the first step when asked to', () => {
    const v = variable([1]);
    const optimizer = new MomentumOptimizer({ learningRate: 1, momentum: 1 });
    optimizer.createSlots([v]);
    optimizer.getSlot(v, 'momentum')!.assign([5]);
    optimizer.applyGradients([[Float32Array.of(1), v]]);
    expect(v.item()).to.equal(-5);
  });
});
