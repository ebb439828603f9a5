import { numbers, weights } from '../data';
import { sampled, type Side } from '../sides';
import { importPeer } from './installed';

// The part of jax-js that the benches use. An operation consumes its operands; `ref` keeps one for another use.
interface JaxArray {
  readonly ref: JaxArray;
  data(): Promise<Float32Array>;
  dispose(): void;
}
type Operand = JaxArray | number;
type Compiled = ((...args: JaxArray[]) => JaxArray[]) & { dispose?(): void };
type Loss = (output: JaxArray, wanted: JaxArray) => JaxArray;
interface Library {
  init(device: string): Promise<string[]>;
  defaultDevice(device: string): void;
  jit(f: (...args: JaxArray[]) => JaxArray[]): Compiled;
  valueAndGrad(
    f: (...args: JaxArray[]) => JaxArray,
    options: { argnums: number[] },
  ): (...args: JaxArray[]) => [JaxArray, JaxArray[]];
  blockUntilReady(arrays: JaxArray[]): Promise<unknown>;
  readonly nn: { relu(x: JaxArray): JaxArray; logSoftmax(x: JaxArray): JaxArray };
  readonly numpy: {
    readonly array: (values: Float32Array, options: { shape: number[] }) => JaxArray;
    readonly add: (a: Operand, b: Operand) => JaxArray;
    readonly subtract: (a: Operand, b: Operand) => JaxArray;
    readonly multiply: (a: Operand, b: Operand) => JaxArray;
    readonly divide: (a: Operand, b: Operand) => JaxArray;
    readonly maximum: (a: Operand, b: Operand) => JaxArray;
    readonly sqrt: (x: JaxArray) => JaxArray;
    readonly sum: (x: JaxArray) => JaxArray;
    readonly matmul: (a: JaxArray, b: JaxArray) => JaxArray;
  };
}

/**
 * jax-js on WebAssembly. In Node 20 its `init()` fails, as it looks for WebGPU in a `navigator` that is not there;
 * `init('wasm')` works.
 */
export async function loadJax(): Promise<Jax | null> {
  const jax = (await importPeer('@jax-js/jax')) as Library | null;
  if (jax === null) return null;
  if (!(await jax.init('wasm')).includes('wasm')) return null;
  jax.defaultDevice('wasm');
  return new Jax(jax);
}

export class Jax {
  readonly version = 'wasm';

  constructor(private readonly jax: Library) {}

  /** One Adam step over one variable of n elements, compiled by `jit`. */
  adam(n: number): Side {
    const { numpy } = this.jax;
    const array = (values: Float32Array): JaxArray => numpy.array(values.slice(), { shape: [n] });
    const g = array(numbers(n, 5, 1));
    let state = [array(weights(n, 7, 2 ** -6)), array(new Float32Array(n)), array(new Float32Array(n))];
    const compiled = this.jax.jit((rate, w, g, m, v) => this.adamStep(rate, w, g, m, v));
    let step = 0;
    const work = async (): Promise<void> => {
      state = compiled(this.rate(++step), state[0]!, g.ref, state[1]!, state[2]!);
      await this.jax.blockUntilReady(state.map((x) => x.ref));
    };
    return side(work, {
      result: async () => sampled(await state[0]!.ref.data()),
      dispose: () => [g, ...state].forEach((x) => x.dispose()),
    });
  }

  /** Forward, backward, clip by global norm, Adam, all in one `jit`: 784-256-10, batch 64. */
  mnist(): Side {
    const { nn, numpy } = this.jax;
    const array = this.array;
    const x = array(numbers(64 * 784, 11, 1), 64, 784);
    const y = array(oneHot(64, 10), 64, 10);
    const initial = [
      array(weights(784 * 256, 7, 0.125), 784, 256),
      array(new Float32Array(256), 256),
      array(weights(256 * 10, 7, 0.25), 256, 10),
      array(new Float32Array(10), 10),
    ];
    return this.training(x, y, initial, (logits, labels) =>
      numpy.multiply(numpy.sum(numpy.multiply(labels, nn.logSoftmax(logits))), -1 / 64),
    );
  }

  /** The same of 8-16-1, batch 8, with the mean squared error. */
  mlp(): Side {
    const { numpy } = this.jax;
    const array = this.array;
    const [x, y] = [array(numbers(64, 11, 1), 8, 8), array(numbers(8, 5, 1), 8, 1)];
    const initial = [
      array(weights(8 * 16, 7, 0.5), 8, 16),
      array(new Float32Array(16), 16),
      array(weights(16, 7, 0.5), 16, 1),
      array(new Float32Array(1), 1),
    ];
    return this.training(x, y, initial, (output, wanted) => {
      const difference = numpy.subtract(output, wanted);
      return numpy.multiply(numpy.sum(numpy.multiply(difference.ref, difference)), 1 / 8);
    });
  }

  private readonly array = (values: Float32Array, ...shape: number[]): JaxArray =>
    this.jax.numpy.array(values.slice(), { shape });

  /** Two layers, the first rectified. */
  private training(x: JaxArray, y: JaxArray, initial: JaxArray[], loss: Loss): Side {
    const { numpy } = this.jax;
    const zeros = (): JaxArray[] => initial.map((w) => numpy.multiply(w.ref, 0));
    let state = [...initial, ...zeros(), ...zeros()];
    const compiled = this.jax.jit((rate, x, y, ...state) => this.trainingStep(rate, x, y, state, loss));
    let step = 0;
    let losses: number[] = [];
    const work = async (): Promise<void> => {
      const [loss, ...next] = compiled(this.rate(++step), x.ref, y.ref, ...state);
      state = next;
      losses = [...losses.slice(-2), (await loss!.data())[0]!];
    };
    return side(work, { result: () => losses, dispose: () => [x, y, ...state].forEach((array) => array.dispose()) });
  }

  /** Adam's rate with the bias corrections of this step; an array, or it would be compiled anew each time. */
  private rate(step: number): JaxArray {
    const rate = (1e-3 * Math.sqrt(1 - 0.999 ** step)) / (1 - 0.9 ** step);
    return this.jax.numpy.array(Float32Array.of(rate), { shape: [] });
  }

  private adamStep(rate: JaxArray, w: JaxArray, g: JaxArray, m: JaxArray, v: JaxArray): JaxArray[] {
    const { add, divide, multiply, sqrt, subtract } = this.jax.numpy;
    const m1 = add(multiply(m, 0.9), multiply(g.ref, 0.1));
    const v1 = add(multiply(v, 0.999), multiply(multiply(g.ref, g), 0.001));
    const step = divide(multiply(rate, m1.ref), add(sqrt(v1.ref), 1e-8));
    return [subtract(w, step), m1, v1];
  }

  private trainingStep(rate: JaxArray, x: JaxArray, y: JaxArray, state: JaxArray[], lossOfOutput: Loss): JaxArray[] {
    const { nn, numpy } = this.jax;
    const lossOf = (w1: JaxArray, b1: JaxArray, w2: JaxArray, b2: JaxArray): JaxArray => {
      const hidden = nn.relu(numpy.add(numpy.matmul(x, w1), b1));
      return lossOfOutput(numpy.add(numpy.matmul(hidden, w2), b2), y);
    };
    const weights = state.slice(0, 4);
    const [loss, grads] = this.jax.valueAndGrad(lossOf, { argnums: [0, 1, 2, 3] })(...weights.map((w) => w.ref));
    const squares = grads.map((g) => numpy.sum(numpy.multiply(g.ref, g.ref)));
    const norm = numpy.sqrt(squares.reduce((a, b) => numpy.add(a, b)));
    const factor = numpy.divide(1, numpy.maximum(norm, 1));
    const steps = weights.map((w, i) =>
      this.adamStep(rate.ref, w, numpy.multiply(grads[i]!, factor.ref), state[4 + i]!, state[8 + i]!),
    );
    rate.dispose();
    factor.dispose();
    return [loss, ...[0, 1, 2].flatMap((k) => steps.map((step) => step[k]!))];
  }
}

function side(work: () => Promise<void>, rest: Pick<Side, 'result' | 'dispose'>): Side {
  const turn = async (calls: number): Promise<number> => {
    const start = performance.now();
    for (let i = 0; i < calls; i++) await work();
    return (performance.now() - start) / 1000;
  };
  return { name: 'jax-js WASM', turn, ...rest };
}

function oneHot(rows: number, classes: number): Float32Array {
  const array = new Float32Array(rows * classes);
  for (let row = 0; row < rows; row++) array[row * classes + (row % classes)] = 1;
  return array;
}
