import { expect } from 'chai';
import { adam, momentum, sgd } from 'gradstep/tfjs';
import { describeOnBackends, type Optimizer, type Tensor, type Tf, type Variable } from './tf';

// A step in place must change its variable and nothing else. Each case runs with TensorFlow.js's own optimizer, which never
// writes to memory, and with ours: all that anybody can see must be the same.

interface Step {
  (): void;
}

/** What is seen in the end: tensors, or arrays that were handed out. */
type Seen = (Tensor | Float32Array)[];

interface Case {
  /** Starts with a variable of 4 elements, steps as often as it likes and returns what is to be compared. */
  (tf: Tf, v: Variable, step: Step, optimizer: Optimizer): Seen | Promise<Seen>;
}

/** What is made by `make` between steps keeps its values. */
const stays =
  (make: (tf: Tf, v: Variable) => Seen): Case =>
  (tf, v, step) => {
    const before = make(tf, v); // before the first step: the memory is not ours yet
    step();
    const between = make(tf, v);
    step();
    step();
    return [...before, ...between, v];
  };

const numbers = (n: number, seed: number): Float32Array =>
  Float32Array.from({ length: n }, (_, i) => Math.sin(seed + 1.7 * i));

/** What `predict` computes with a variable of this shape follows its steps. */
const predicts =
  (shape: number[], predict: (tf: Tf, w: Variable) => Tensor): Case =>
  (tf, _, __, optimizer) => {
    const w = tf.variable(
      tf.tensor(
        numbers(
          shape.reduce((a, b) => a * b, 1),
          3,
        ),
        shape,
      ),
    );
    const seen = [];
    for (let i = 0; i < 3; i++) {
      seen.push(predict(tf, w));
      optimizer.applyGradients({ [w.name]: tf.tensor(numbers(w.size, i), shape) });
    }
    seen.push(predict(tf, w));
    const results = seen.map((tensor) => tensor.dataSync());
    w.dispose();
    return results;
  };

const cases: Record<string, Case> = {
  'a clone': stays((_, v) => [v.clone()]),
  'a reshape': stays((_, v) => [v.reshape([2, 2])]),
  expandDims: stays((tf, v) => [tf.expandDims(v)]),
  'a slice': stays((_, v) => [v.slice(1, 2)]),
  'a slice of all': stays((_, v) => [v.slice(0, 4)]),
  'a slice of a slice': stays((_, v) => [v.slice(1, 3).slice(1, 1)]),
  split: stays((tf, v) => tf.split(v, 2)),
  unstack: stays((tf, v) => tf.unstack(v)),
  stridedSlice: stays((tf, v) => [tf.stridedSlice(v, [1], [3])]),
  'complex parts': stays((tf, v) => {
    const c = tf.complex(v, v);
    return [tf.real(c), tf.imag(c)];
  }),
  einsum: stays((tf, v) => [tf.einsum('i,i->i', v, tf.tensor([1, 1, 1, 1])), tf.einsum('i->', v)]),
  'einsum that changes nothing': stays((tf, v) => [tf.einsum('i->i', v)]),
  'what dataSync returned': stays((_, v) => [v.dataSync()]),
  'what bufferSync returned': stays((_, v) => [v.bufferSync().values]),
  'a tensor made of what dataSync returned': stays((tf, v) => [tf.tensor(v.dataSync())]),
  'a slice of a tensor made of what dataSync returned': stays((tf, v) => [tf.tensor(v.dataSync()).slice(1, 2)]),
  'what data() was called for before the step': async (_, v, step) => {
    step();
    const promise = v.data();
    step();
    return [await promise, v];
  },
  'what data() was called for before the first step': async (_, v, step) => {
    const promise = v.data();
    step();
    return [await promise, v];
  },
  'the typed array that a variable was made of': (tf, _, __, optimizer) => {
    const array = Float32Array.of(1, 2, 3, 4);
    const w = tf.variable(tf.tensor(array));
    for (let i = 0; i < 2; i++) optimizer.applyGradients({ [w.name]: tf.tensor([1, 1, 1, 1]) });
    const seen = [array, w.dataSync()];
    w.dispose();
    return seen;
  },
  'the tensor that a variable was made of': (tf, _, __, optimizer) => {
    const tensor = tf.tensor([1, 2, 3, 4]);
    const w = tf.variable(tensor);
    for (let i = 0; i < 2; i++) optimizer.applyGradients({ [w.name]: tf.tensor([1, 1, 1, 1]) });
    const seen = [tensor, w.dataSync()];
    w.dispose();
    return seen;
  },
  'a variable made of the variable': (tf, v, step) => {
    step();
    const copy = tf.variable(v);
    step();
    const seen = [copy.dataSync(), v];
    copy.dispose();
    return seen;
  },
  'a target that the variable was assigned to': (tf, v, step) => {
    const target = tf.variable(tf.zeros([4]));
    const seen: Seen = [];
    for (let i = 0; i < 3; i++) {
      target.assign(v);
      step();
      seen.push(target.dataSync());
    }
    target.dispose();
    return [...seen, v];
  },
  'what is assigned to the variable between steps': (tf, v, step) => {
    step();
    const value = tf.tensor([5, 6, 7, 8]);
    v.assign(value);
    step();
    step();
    return [value, v];
  },
  'what keep holds in a tidy': (tf, v, step) => {
    const kept: Tensor[] = [];
    tf.tidy(() => {
      step();
      kept.push(tf.keep(v.reshape([4, 1])), tf.keep(v.slice(0, 3)));
      step();
    });
    step();
    const seen = kept.map((tensor) => tensor.dataSync());
    tf.dispose(kept);
    return [...seen, v];
  },
  'a step inside of tidy': (tf, v, step) => {
    for (let i = 0; i < 3; i++) tf.tidy(step);
    return [v];
  },
  'the gradient': (tf, v, _, optimizer) => {
    const gradient = tf.tensor([1, -1, 0.5, 0]);
    for (let i = 0; i < 3; i++) optimizer.applyGradients({ [v.name]: gradient });
    return [gradient, v];
  },
  'a gradient that is the variable': (_tf, v, step, optimizer) => {
    optimizer.applyGradients({ [v.name]: v });
    step();
    optimizer.applyGradients({ [v.name]: v });
    optimizer.applyGradients({ [v.name]: v.reshape([4]) });
    return [v];
  },
  'a gradient that is another variable': (tf, v, step, optimizer) => {
    const w = tf.variable(tf.tensor([4, 3, 2, 1]));
    step();
    for (let i = 0; i < 3; i++) {
      optimizer.applyGradients([
        { name: v.name, tensor: w },
        { name: w.name, tensor: tf.tensor([1, 1, 1, 1]) },
      ]);
    }
    const seen = [w.dataSync(), v];
    w.dispose();
    return seen;
  },
  'one gradient for two variables': (tf, v, _, optimizer) => {
    const w = tf.variable(tf.tensor([4, 3, 2, 1]));
    const gradient = tf.tensor([1, 2, 3, 4]);
    for (let i = 0; i < 2; i++) optimizer.applyGradients({ [v.name]: gradient, [w.name]: gradient });
    const seen = [w.dataSync(), v, gradient];
    w.dispose();
    return seen;
  },
  'two variables made of one tensor': (tf, v, _, optimizer) => {
    const w = tf.variable(v);
    const gradient = tf.tensor([1, 2, 3, 4]);
    for (let i = 0; i < 2; i++) optimizer.applyGradients({ [v.name]: gradient, [w.name]: gradient });
    const seen = [w.dataSync(), v];
    w.dispose();
    return seen;
  },
  'a new variable of an old name': (tf, v, step, optimizer) => {
    const seen: Seen = [];
    for (let i = 0; i < 3; i++) {
      const w = tf.variable(tf.tensor([1, 2, 3 + i]), true, 'again');
      // State by position would be of the old one's: with theirs, a new optimizer is what it takes.
      optimizer.applyGradients({ [v.name]: tf.tensor([1, 2, 3, 4]) });
      seen.push(w.clone());
      w.dispose();
    }
    step();
    return [...seen, v];
  },
  'memory that grows between steps': (tf, v, step) => {
    step();
    const large = [];
    for (let i = 0; i < 4; i++) {
      large.push(tf.zeros([1 << 22]));
      step();
    }
    tf.dispose(large);
    return [v];
  },
  'weights of the optimizer': async (_tf, v, step, optimizer) => {
    step();
    const weights = await optimizer.getWeights();
    const clones = weights.map(({ tensor }) => tensor.clone());
    const arrays = weights.map(({ tensor }) => Float32Array.from(tensor.dataSync()));
    const live = weights.slice(1).map(({ tensor }) => tensor.dataSync());
    step();
    return [...clones, ...arrays, ...live, v];
  },
  'weights of the optimizer set again': async (_tf, v, step, optimizer) => {
    step();
    const weights = await optimizer.getWeights();
    await optimizer.setWeights(weights.map(({ name, tensor }) => ({ name, tensor: tensor.clone() })));
    step();
    return [v];
  },
  'predictions by matMul': predicts([3, 5], (tf, w) => tf.matMul(tf.tensor(numbers(6, 1), [2, 3]), w)),
  'predictions by a fused matMul': predicts([3, 5], (tf, w) =>
    tf.fused.matMul({ a: tf.tensor(numbers(6, 1), [2, 3]), b: w, bias: tf.zeros([5]), activation: 'relu' }),
  ),
  'predictions by conv2d': predicts([2, 2, 3, 4], (tf, w) =>
    tf.conv2d(tf.tensor(numbers(75, 1), [1, 5, 5, 3]), w, 1, 'same'),
  ),
  'predictions by depthwiseConv2d': predicts([2, 2, 3, 1], (tf, w) =>
    tf.depthwiseConv2d(tf.tensor(numbers(75, 1), [1, 5, 5, 3]), w, 1, 'same'),
  ),
  'predictions by prelu': predicts([5], (tf, w) => tf.prelu(tf.tensor(numbers(10, 1), [2, 5]), w)),
};

const optimizers: Record<string, readonly [theirs: (tf: Tf) => Optimizer, ours: () => unknown]> = {
  sgd: [(tf) => tf.train.sgd!(0.1), () => sgd({ learningRate: 0.1 })],
  momentum: [(tf) => tf.train.momentum!(0.1, 0.9), () => momentum({ learningRate: 0.1, momentum: 0.9 })],
  adam: [(tf) => tf.train.adam!(0.1), () => adam({ learningRate: 0.1 })],
};

async function run(tf: Tf, runCase: Case, optimizer: Optimizer): Promise<number[][]> {
  const v = tf.variable(tf.tensor([1, 2, 3, 4]));
  let k = 0;
  const step = (): void => {
    const gradient = tf.tensor([1, 0.5, -1, 2].map((x) => x + k++));
    optimizer.applyGradients({ [v.name]: gradient });
    gradient.dispose();
  };
  const seen = await runCase(tf, v, step, optimizer);
  const values = seen.map((one) => [...(one instanceof Float32Array ? one : one.dataSync())]);
  v.dispose();
  optimizer.dispose();
  return values;
}

/** Kernels that TensorFlow.js has on its CPU backend alone. */
const onCpuOnly = ['complex parts', 'einsum', 'einsum that changes nothing'];

describeOnBackends('a step changes nobody else', (tf, backend) => {
  for (const [name, runCase] of Object.entries(cases)) {
    if (backend !== 'cpu' && onCpuOnly.includes(name)) continue;
    it(name, async () => {
      for (const [kind, [theirs, ours]] of Object.entries(optimizers)) {
        const expected = await run(tf, runCase, theirs(tf));
        const values = await run(tf, runCase, ours() as Optimizer);
        expect(values.length).to.equal(expected.length);
        values.forEach((list, i) => {
          expect(list.length, `${kind}, what is seen at ${i}`).to.equal(expected[i]!.length);
          list.forEach((value, j) =>
            expect(value, `${kind}, what is seen at ${i}, element ${j}`).to.be.closeTo(expected[i]![j]!, 2e-6),
          );
        });
      }
    });
  }

  it('gradients that are variables are read as they were before the step, in whatever order', () => {
    const a = tf.variable(tf.tensor([1, 1])),
      b = tf.variable(tf.tensor([2, 2]));
    const optimizer = sgd({ learningRate: 1 }) as unknown as Optimizer;
    optimizer.applyGradients({ [b.name]: a, [a.name]: b });
    expect([...a.dataSync(), ...b.dataSync()]).to.deep.equal([-1, -1, 1, 1]);
    tf.dispose([a, b]);
  });

  it('a variable keeps its memory for the steps that follow', () => {
    const v = tf.variable(tf.tensor([1, 2, 3, 4]));
    const optimizer = sgd({ learningRate: 0.1 }) as unknown as Optimizer;
    const gradient = tf.tensor([1, 1, 1, 1]);
    const copy = v.clone();
    optimizer.applyGradients({ [v.name]: gradient });
    const { dataId } = v;
    for (let i = 0; i < 3; i++) optimizer.applyGradients({ [v.name]: gradient });
    expect(v.dataId).to.equal(dataId);
    expect([...copy.dataSync()]).to.deep.equal([1, 2, 3, 4]);
    v.dispose();
  });
});
