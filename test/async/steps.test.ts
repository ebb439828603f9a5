import { expect } from 'chai';
import fc from 'fast-check';
import {
  AdamOptimizer,
  createGlobalStep,
  exponentialDecay,
  GradientDescentOptimizer,
  IndexedSlices,
  MomentumOptimizer,
  ops,
  runtime,
  tensor,
  variable,
  Variable,
  type GlobalStep,
  type Optimizer,
} from 'gradstep';
import { middling, optimizerCases } from '../support/optimizer-cases';
import { expectRejection } from '../support/promises';

const noise = (i: number, length: number): Float32Array =>
  Float32Array.from({ length }, (_, k) => Math.sin(12.9898 * (i + 1) + 78.233 * (k + 1)) * 2);

const bytes = (array: Float32Array | Float64Array): string => Buffer.from(array.slice().buffer).toString('hex');

/** The variables and all state, as text with every bit. */
const stateOf = (optimizer: Optimizer, variables: readonly Variable[]): string[] =>
  [...variables, ...optimizer.variables()].map(({ name, data }) => `${name} ${bytes(data)}`);

const makeVariables = (): Variable[] => [
  variable(noise(1, 60), { shape: [20, 3], name: 'table' }),
  variable(noise(2, 7), { name: 'bias' }),
  variable(Float64Array.from(noise(3, 5)), { name: 'wide' }),
];

const rowsAt = (i: number): IndexedSlices =>
  new IndexedSlices(tensor(noise(i, 12), [4, 3]), [i % 20, (3 * i) % 20, i % 20, 19]);

/** The gradients of a step: dense, sparse and missing ones. */
const pairsAt = (i: number, [table, bias, wide]: readonly Variable[]) =>
  [
    [i % 3 === 2 ? rowsAt(i) : noise(i, 60), table!],
    [i % 4 === 1 ? null : tensor(noise(i + 50, 7)), bias!],
    [Float64Array.from(noise(i + 90, 5)), wide!],
  ] as const;

describe('a step off the event loop', () => {
  for (const each of optimizerCases) {
    it(`gives what applyGradients gives, to the bit, awaited or not: ${each.name}`, async () => {
      const runs = await Promise.all(
        (['sync', 'awaited', 'not awaited'] as const).map(async (how) => {
          const { optimizer, globalStep } = each.create(middling(each));
          const variables = makeVariables();
          const options = globalStep === undefined ? {} : { globalStep };
          const promises: Promise<boolean>[] = [];
          for (let i = 0; i < 9; i++) {
            const pairs = pairsAt(i, variables);
            if (how === 'sync') expect(optimizer.applyGradients(pairs, options)).to.equal(true);
            else promises.push(optimizer.applyGradientsAsync(pairs, options));
            if (how === 'awaited') expect(await promises.at(-1)).to.equal(true);
          }
          await Promise.all(promises);
          return [...stateOf(optimizer, variables), globalStep?.value];
        }),
      );
      expect(runs[1]).to.deep.equal(runs[0]);
      expect(runs[2]).to.deep.equal(runs[0]);
    });
  }

  it('gives the same bits on every instruction set and for any number of threads', async () => {
    const { isa, threads } = runtime;
    const results = new Set<string>();
    try {
      for (const name of runtime.availableIsas) {
        for (const count of [1, 2, 5]) {
          runtime.useIsa(name);
          runtime.threads = count;
          const w = variable(noise(0, 100_000));
          const optimizer = new AdamOptimizer({ learningRate: 0.01 });
          for (let i = 0; i < 3; i++) void optimizer.applyGradientsAsync([[noise(i, 100_000), w]]);
          await optimizer.idle();
          results.add(bytes(w.data));
        }
      }
    } finally {
      runtime.useIsa(isa);
      runtime.threads = threads;
    }
    expect(results.size).to.equal(1);
  });

  it('sees what the one before has made: powers, schedules, the global step; with optimizers that share variables', async () => {
    const train = async (isAsync: boolean): Promise<string[]> => {
      const [a, b] = [variable([1, 2, 3], { name: 'a' }), variable([4, 5], { name: 'b' })];
      const globalStep = createGlobalStep();
      const adam = new AdamOptimizer({
        learningRate: exponentialDecay(0.1, globalStep, 2, 0.5),
        groups: [{ variables: [b], beta1: 0.5 }],
      });
      const momentum = new MomentumOptimizer({ learningRate: () => 0.1 / (1 + globalStep.value), momentum: 0.9 });
      const promises: Promise<boolean>[] = [];
      for (let i = 0; i < 12; i++) {
        const optimizer = i % 3 === 1 ? momentum : adam;
        const own = i % 2 === 0 ? a : b;
        const pairs = [[noise(i, own.size), own]] as const;
        if (isAsync) promises.push(optimizer.applyGradientsAsync(pairs, { globalStep }));
        else optimizer.applyGradients(pairs, { globalStep });
      }
      await Promise.all(promises);
      return [...stateOf(adam, [a, b]), ...stateOf(momentum, []), `${globalStep.value}`];
    };
    expect(await train(true)).to.deep.equal(await train(false));
  });

  it('gives any mixture of lists, awaited now and then, the bits of steps on the event loop', async () => {
    const chosen = fc.constantFrom([0], [2], [0, 1], [1, 2], [0, 1, 2]); // number 1 alone may have no gradient
    const step = fc.record({ chosen, awaits: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 10 }), async (steps) => {
        const [here, there] = [makeVariables(), makeVariables()];
        const [one, other] = [new AdamOptimizer(), new AdamOptimizer()];
        for (const [i, { chosen, awaits }] of steps.entries()) {
          const isChosen = (_: unknown, k: number): boolean => (chosen as readonly number[]).includes(k);
          one.applyGradients(pairsAt(3 * i, here).filter(isChosen));
          const over = other.applyGradientsAsync(pairsAt(3 * i, there).filter(isChosen));
          if (awaits) await over;
        }
        await other.idle();
        expect(stateOf(other, there)).to.deep.equal(stateOf(one, here));
      }),
      { numRuns: 30 },
    );
  });

  it('leaves the gradients to the caller: what becomes of them after the call is no matter', async () => {
    const [w, table] = [variable(noise(0, 5000)), variable(noise(1, 6), { shape: [3, 2] })];
    const [w2, table2] = [variable(noise(0, 5000)), variable(noise(1, 6), { shape: [3, 2] })];
    const optimizer = new GradientDescentOptimizer({ learningRate: 1 });
    const plain = new GradientDescentOptimizer({ learningRate: 1 });
    for (let i = 0; i < 20; i++) {
      const gradient = noise(i, 5000);
      const indices = Int32Array.of(2, 0);
      const rows = tensor(noise(i, 4), [2, 2]);
      plain.applyGradients([
        [gradient, w2],
        [new IndexedSlices(rows, indices), table2],
      ]);
      void optimizer.applyGradientsAsync([
        [gradient, w],
        [new IndexedSlices(rows, indices), table],
      ]);
      gradient.fill(NaN);
      indices.fill(1e9);
      if (i % 2 === 0) rows.dispose();
      else structuredClone(rows.data, { transfer: [rows.data.buffer as ArrayBuffer] });
      structuredClone(gradient, { transfer: [gradient.buffer as ArrayBuffer] });
    }
    await optimizer.idle();
    expect([bytes(w.data), bytes(table.data)]).to.deep.equal([bytes(w2.data), bytes(table2.data)]);
  });

  it('reads gradients over shared memory where they are', async () => {
    const shared = new Float32Array(new SharedArrayBuffer(4 * 1000)).fill(1);
    const w = variable(new Float32Array(1000));
    const optimizer = new GradientDescentOptimizer({ learningRate: 1 });
    await optimizer.applyGradientsAsync([[shared, w]]);
    expect(w.data.every((x) => x === -1)).to.equal(true);
    // A gradient may be the variable itself.
    await optimizer.applyGradientsAsync([[w, w] as never]);
    expect(w.data.every((x) => x === 0)).to.equal(true);
  });

  it('applies constraints to what it has made, and puts all back when one throws', async () => {
    let isBroken = false;
    const w = variable([1, -1, 0.5], {
      constraint: (value) => {
        if (isBroken) throw new Error('mine');
        return ops.relu(value);
      },
    });
    const globalStep: GlobalStep = createGlobalStep();
    const optimizer = new AdamOptimizer({ learningRate: 1 });
    const step = (): Promise<boolean> =>
      optimizer.applyGradientsAsync([[Float32Array.of(1, -0.5, 3), w]], { globalStep });
    isBroken = true;
    await expectRejection(step(), Error, 'mine');
    expect([w.toArray(), optimizer.variables(), globalStep.value]).to.deep.equal([[1, -1, 0.5], [], 0]);
    isBroken = false;
    const [, last] = [await step(), await step()];
    expect(last).to.equal(true);
    const w2 = variable([1, -1, 0.5], { constraint: (value) => ops.relu(value) });
    const other = new AdamOptimizer({ learningRate: 1 });
    for (let i = 0; i < 2; i++) other.applyGradients([[Float32Array.of(1, -0.5, 3), w2]]);
    expect(bytes(w.data)).to.equal(bytes(w2.data));
  });

  it('is rejected with what applyGradients throws, with nothing changed, and later ones go on', async () => {
    const w = variable([1, 2], { name: 'w' });
    const globalStep = createGlobalStep();
    let rate = 0.5;
    const optimizer = new AdamOptimizer({ learningRate: () => rate });
    const good = (): Promise<boolean> => optimizer.applyGradientsAsync([[Float32Array.of(1, 1), w]], { globalStep });
    const outcomes = [
      good(),
      expectRejection(optimizer.applyGradientsAsync([[Float32Array.of(1), w]]), RangeError, '1 elements, expected 2'),
      expectRejection(optimizer.applyGradientsAsync([]), Error, 'No variables provided'),
      expectRejection(optimizer.applyGradientsAsync([[null, w]]), Error, 'No gradients provided'),
      expectRejection(optimizer.applyGradientsAsync(5 as never), TypeError, 'gradsAndVars must be an iterable'),
      expectRejection(
        good().then(() => optimizer.applyGradientsAsync([], 5 as never)),
        TypeError,
        'options must be',
      ),
      good(),
    ];
    await Promise.all(outcomes);
    rate = -1;
    await expectRejection(good(), RangeError, 'learningRate');
    rate = 0.5;
    await good();
    const [w2, other] = [variable([1, 2]), new AdamOptimizer({ learningRate: 0.5 })];
    for (let i = 0; i < 4; i++) other.applyGradients([[Float32Array.of(1, 1), w2]]);
    expect([bytes(w.data), globalStep.value]).to.deep.equal([bytes(w2.data), 4]);
  });

  it('refuses variables over plain ArrayBuffers, which could be transferred meanwhile', async () => {
    const w = Variable.over(new Float32Array(4), { name: 'plain' });
    const optimizer = new AdamOptimizer();
    const why = "'plain' lies in a plain ArrayBuffer, which could be transferred during an asynchronous step";
    await expectRejection(optimizer.applyGradientsAsync([[new Float32Array(4), w]]), Error, why);
    expect(optimizer.applyGradients([[new Float32Array(4), w]])).to.equal(true);
    const shared = Variable.over(new Float32Array(new SharedArrayBuffer(16)));
    expect(await optimizer.applyGradientsAsync([[new Float32Array(4), shared]])).to.equal(true);
  });

  it('lets the event loop turn while it runs', async () => {
    const w = variable(new Float32Array(2 ** 22));
    const optimizer = new AdamOptimizer();
    const gradient = variable(new Float32Array(2 ** 22).fill(1)).data;
    let turns = 0;
    let isOver = false;
    const over = Promise.all(Array.from({ length: 10 }, () => optimizer.applyGradientsAsync([[gradient, w]])));
    void over.then(() => (isOver = true));
    const turn = (): void => {
      turns++;
      if (!isOver) setImmediate(turn);
    };
    turn();
    await over;
    expect(turns).to.be.at.least(10);
  });
});

describe('minimizeAsync', () => {
  it('gives the loss and the step of minimize', async () => {
    const [w, w2] = [variable([3, -2]), variable([3, -2])];
    const [one, other] = [new AdamOptimizer({ learningRate: 0.1 }), new AdamOptimizer({ learningRate: 0.1 })];
    const globalStep = createGlobalStep();
    for (let i = 0; i < 5; i++) {
      const loss = await one.minimizeAsync(() => ops.reduceSum(ops.square(w)), { globalStep });
      expect(loss.item()).to.equal(other.minimize(() => ops.reduceSum(ops.square(w2))).item());
    }
    expect([bytes(w.data), globalStep.value]).to.deep.equal([bytes(w2.data), 5]);
    await expectRejection(
      one.minimizeAsync(() => ops.reduceSum(tensor([1]))),
      Error,
      'the loss reads no trainable variable',
    );
  });
});

describe('a variable that steps off the event loop', () => {
  const refused: Record<string, (v: Variable, optimizer: AdamOptimizer) => unknown> = {
    assign: (v) => v.assign([1, 1]),
    dispose: (v) => v.dispose(),
    state: (v) => v.state(),
    restore: (v) => v.restore([{ key: 'v', dtype: 'float32', shape: [2], memory: new Float32Array(2) }]),
    'a step on the event loop': (v, optimizer) => optimizer.applyGradients([[Float32Array.of(1, 1), v]]),
    "another optimizer's step on the event loop": (v) =>
      new GradientDescentOptimizer({ learningRate: 1 }).applyGradients([[Float32Array.of(1, 1), v]]),
    'disposing of the optimizer': (_, optimizer) => optimizer.dispose(),
    "the optimizer's state": (_, optimizer) => optimizer.state(),
    'restoring the optimizer': (v, optimizer) => optimizer.restore([], { variables: [v] }),
    "the optimizer's createSlots": (v, optimizer) => optimizer.createSlots([v]),
    "the optimizer's step on another variable": (_, optimizer) =>
      optimizer.applyGradients([[Float32Array.of(1), variable([1])]]),
  };
  for (const [what, attempt] of Object.entries(refused)) {
    it(`refuses until the step is over: ${what}`, async () => {
      const v = variable([5, 6], { name: 'v' });
      const optimizer = new AdamOptimizer();
      const [first, second] = [1, 2].map((x) => optimizer.applyGradientsAsync([[Float32Array.of(x, x), v]]));
      const expectRefusal = (): void => {
        expect(() => attempt(v, optimizer)).to.throw(Error, 'is used by an asynchronous step that is not over');
      };
      expectRefusal();
      expect(v.data).to.have.length(2);
      await first;
      expectRefusal(); // the second is under way
      await second;
      const twin = variable([5, 6]);
      const other = new AdamOptimizer();
      for (const x of [1, 2]) other.applyGradients([[Float32Array.of(x, x), twin]]);
      expect(bytes(v.data), 'nothing has changed').to.equal(bytes(twin.data));
      try {
        attempt(v, optimizer);
      } catch (error) {
        expect((error as Error).message).not.to.contain('asynchronous');
      }
    });
  }

  it('leaves other variables and optimizers alone', async () => {
    const [v, w] = [variable([1]), variable([2])];
    const optimizer = new AdamOptimizer();
    const over = optimizer.applyGradientsAsync([[Float32Array.of(1), v]]);
    w.assign([3]);
    new AdamOptimizer().applyGradients([[Float32Array.of(1), w]]);
    w.dispose();
    expect(await over).to.equal(true);
  });

  it('is another in no other name: a variable over the same memory waits too', async () => {
    const buffer = new SharedArrayBuffer(8);
    const [one, two] = [
      Variable.over(new Float32Array(buffer)),
      Variable.over(new Float32Array(structuredClone(buffer))),
    ];
    const [a, b] = [1, 2].map(() => new GradientDescentOptimizer({ learningRate: 1 }));
    void a!.applyGradientsAsync([[Float32Array.of(1, 1), one]]);
    expect(() => two.assign([1, 1])).to.throw(Error, 'is used by an asynchronous step');
    await b!.applyGradientsAsync([[Float32Array.of(1, 1), two]]);
    expect(one.toArray()).to.deep.equal([-2, -2]);
  });

  it('lets its own schedules and constraints do what they may on the event loop', async () => {
    const other = variable([1]);
    const v: Variable = variable([0], {
      constraint: (value) => {
        v.assign([7]);
        return ops.add(value, 1);
      },
    });
    const optimizer: GradientDescentOptimizer = new GradientDescentOptimizer({
      learningRate: () => {
        other.assign([other.item() + 1]);
        return 1;
      },
    });
    await optimizer.applyGradientsAsync([[Float32Array.of(1), v]]);
    expect([v.item(), other.item()]).to.deep.equal([8, 2]);
  });
});

describe('idle', () => {
  it('comes at once where nothing is under way, and after steps that failed', async () => {
    const optimizer = new AdamOptimizer({ learningRate: () => -1 });
    await optimizer.idle();
    const failed = expectRejection(
      optimizer.applyGradientsAsync([[Float32Array.of(1), variable([1])]]),
      RangeError,
      '',
    );
    await optimizer.idle();
    await failed;
  });
});
