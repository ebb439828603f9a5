import { expect } from 'chai';
import { compileStep, gradients, GradientDescentOptimizer, ops, tensor, tidy, variable, type Tensor } from 'gradstep';
import { expectClose, expectFloat32, expectGradients, randomTensor } from '../../support/numeric-gradient';
import { dtypes, expectSameEverywhere } from '../../support/parity';

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** Row r of x [rows, n] times the matrix m [n, columns]. */
function times(x: readonly number[], m: Tensor): number[] {
  const columns = m.shape[1]!;
  return Array.from({ length: columns }, (_, c) =>
    x.reduce((sum, value, i) => sum + value * m.data[i * columns + c]!, 0),
  );
}

interface Layer {
  readonly x: Tensor;
  readonly kernel: Tensor;
  readonly recurrentKernel: Tensor;
  readonly bias: Tensor;
}

function layer(
  gates: number,
  [batch, time, inputs, units]: readonly number[],
  dtype: 'float32' | 'float64' = 'float64',
): Layer {
  return {
    x: randomTensor([batch!, time!, inputs!], { seed: 1, dtype }),
    kernel: randomTensor([inputs!, gates * units!], { seed: 2, low: -0.7, high: 0.7, dtype }),
    recurrentKernel: randomTensor([units!, gates * units!], { seed: 3, low: -0.7, high: 0.7, dtype }),
    bias: randomTensor([gates * units!], { seed: 4, dtype }),
  };
}

type CellFunction = (sums: (gate: number) => { x: number[]; h: number[] }, state: number[][]) => number[][];

/** Outputs and last states of each example, cell by cell; the first state is what is put out. */
function plain(
  { x, kernel, recurrentKernel }: Layer,
  units: number,
  states: number[][][],
  cell: CellFunction,
  lengths?: number[],
) {
  const [batch, time, inputs] = x.shape as [number, number, number];
  const outputs: number[] = [];
  const last: number[][][] = [];
  for (let b = 0; b < batch; b++) {
    let state = states.map((of) => of[b]!);
    for (let t = 0; t < time; t++) {
      const isAlive = t < (lengths?.[b] ?? time);
      const row = Array.from(x.data.subarray((b * time + t) * inputs, (b * time + t + 1) * inputs));
      const [fromX, fromH] = [times(row, kernel), times(state[0]!, recurrentKernel)];
      const part = (all: number[], gate: number): number[] => all.slice(gate * units, (gate + 1) * units);
      if (isAlive) state = cell((gate) => ({ x: part(fromX, gate), h: part(fromH, gate) }), state);
      outputs.push(...(isAlive ? state[0]! : new Array<number>(units).fill(0)));
    }
    last.push(state);
  }
  return { outputs, last };
}

const lstmCell =
  (bias: Tensor, units: number, forgetBias: number, order: string): CellFunction =>
  (sums, [h, c]) => {
    const gate = (name: string): number[] => {
      const at = order.indexOf(name);
      const { x, h: fromH } = sums(at);
      return x.map((value, u) => value + fromH[u]! + bias.data[at * units + u]!);
    };
    const [i, j, f, o] = ['i', 'j', 'f', 'o'].map(gate) as [number[], number[], number[], number[]];
    const next = c!.map((value, u) => sigmoid(f[u]! + forgetBias) * value + sigmoid(i[u]!) * Math.tanh(j[u]!));
    return [next.map((value, u) => sigmoid(o[u]!) * Math.tanh(value)), next, h!].slice(0, 2);
  };

const zeros = (batch: number, units: number): number[][] =>
  Array.from({ length: batch }, () => new Array<number>(units).fill(0));
const rows = (t: Tensor): number[][] => t.toArray() as number[][];

const sizes = [
  [1, 1, 1, 1],
  [3, 4, 2, 5],
  [9, 3, 17, 16],
  [5, 6, 3, 33],
] as const;

describe('lstm', () => {
  it('is the cells of TensorFlow, one time after the other', () => {
    for (const size of sizes) {
      const [batch, time, , units] = size;
      const all = layer(4, size);
      const { x, ...parts } = all;
      const found = ops.lstm(x, parts);
      const expected = plain(
        all,
        units,
        [zeros(batch, units), zeros(batch, units)],
        lstmCell(parts.bias, units, 1, 'ijfo'),
      );
      expect(found.outputs.shape).to.deep.equal([batch, time, units]);
      expectClose(found.outputs.data, expected.outputs, 1e-13);
      expectClose(
        found.state.h.data,
        expected.last.flatMap(([h]) => h!),
        1e-13,
      );
      expectClose(
        found.state.c.data,
        expected.last.flatMap(([, c]) => c!),
        1e-13,
      );
    }
  });

  it('begins with a state, has the other order of gates, and ends early where lengths say so', () => {
    const [batch, , , units] = sizes[1];
    const all = layer(4, sizes[1]);
    const { x, ...parts } = all;
    const [h, c] = [randomTensor([batch, units], { seed: 7 }), randomTensor([batch, units], { seed: 8 })];
    const lengths = [2, 0, 4];
    const found = ops.lstm(x, { ...parts, gateOrder: 'ifjo', initialState: { h, c }, sequenceLength: lengths });
    const expected = plain(all, units, [rows(h), rows(c)], lstmCell(parts.bias, units, 0, 'ifjo'), lengths);
    expectClose(found.outputs.data, expected.outputs, 1e-13);
    expectClose(
      found.state.h.data,
      expected.last.flatMap(([last]) => last!),
      1e-13,
    );
    expectClose(
      found.state.c.data,
      expected.last.flatMap(([, last]) => last!),
      1e-13,
    );
  });

  it('has the gradients that differences show, from outputs and last state', () => {
    for (const size of [sizes[0], sizes[1]]) {
      const [batch, , , units] = size;
      const { x, kernel, recurrentKernel, bias } = layer(4, size);
      const [h, c] = [randomTensor([batch, units], { seed: 7 }), randomTensor([batch, units], { seed: 8 })];
      const all = [x, kernel, recurrentKernel, bias, h, c];
      const run = (xs: Tensor[], more: object = {}) =>
        ops.lstm(xs[0]!, {
          kernel: xs[1]!,
          recurrentKernel: xs[2]!,
          bias: xs[3]!,
          initialState: { h: xs[4]!, c: xs[5]! },
          ...more,
        });
      expectGradients((...xs) => run(xs).outputs, all, 1e-6);
      expectGradients((...xs) => run(xs).state.c, all, 1e-6);
      expectGradients((...xs) => run(xs).state.h, all, 1e-6);
      const lengths = Array.from({ length: batch }, (_, i) => (i * 2 + 1) % 3);
      expectGradients((...xs) => run(xs, { sequenceLength: lengths }).outputs, all, 1e-6);
      const both = (...xs: Tensor[]): Tensor => {
        const { outputs, state } = run(xs, { sequenceLength: lengths, gateOrder: 'ifjo' });
        return ops.add(ops.reduceSum(outputs, [1]), ops.mul(ops.square(state.c), state.h));
      };
      expectGradients(both, all, 1e-6);
    }
  });

  it('takes time first just as well', () => {
    const { x, ...parts } = layer(4, sizes[2]);
    const byTime = ops.transpose(x, [1, 0, 2]);
    const found = ops.lstm(byTime, { ...parts, timeMajor: true });
    const expected = ops.lstm(x, parts);
    expect(ops.transpose(found.outputs, [1, 0, 2]).data).to.deep.equal(expected.outputs.data);
    const gradYs = randomTensor(found.outputs.shape, { seed: 5 });
    const [dx] = gradients(() => ops.lstm(byTime, { ...parts, timeMajor: true }).outputs, [byTime], { gradYs });
    const [other] = gradients(() => ops.lstm(x, parts).outputs, [x], { gradYs: ops.transpose(gradYs, [1, 0, 2]) });
    expect(ops.transpose(dx as Tensor, [1, 0, 2]).data).to.deep.equal((other as Tensor).data);
  });

  it('is its cell, again and again', () => {
    const { x, ...parts } = layer(4, [3, 1, 2, 5]);
    const state = { h: randomTensor([3, 5], { seed: 7 }), c: randomTensor([3, 5], { seed: 8 }) };
    const next = ops.lstmCell(ops.reshape(x, [3, 2]), state, parts);
    const expected = ops.lstm(x, { ...parts, initialState: state });
    expect(next.h.data).to.deep.equal(expected.state.h.data);
    expect(next.c.data).to.deep.equal(expected.state.c.data);
    const f = (a: Tensor, h: Tensor, c: Tensor): Tensor => {
      const one = ops.lstmCell(a, { h, c }, parts);
      return ops.mul(one.h, one.c);
    };
    expectGradients((a, h, c) => f(a, h, c), [ops.reshape(x, [3, 2]), state.h, state.c], 1e-6);
  });

  it('does the same in float32, to its precision', () => {
    const { x, kernel, recurrentKernel, bias } = layer(4, sizes[3]);
    expectFloat32(
      (a, k, r, b) => ops.lstm(a, { kernel: k, recurrentKernel: r, bias: b }).outputs,
      [x, kernel, recurrentKernel, bias],
      1e-5,
    );
  });

  it('refuses shapes that do not fit', () => {
    const { x, ...parts } = layer(4, sizes[1]);
    expect(() => ops.lstm(randomTensor([3, 2]), parts)).to.throw(RangeError, 'expected [batch, time, inputs]');
    expect(() => ops.lstm(x, { ...parts, kernel: randomTensor([2, 6]) })).to.throw(
      RangeError,
      'expected [2, 4 · units]',
    );
    expect(() => ops.lstm(x, { ...parts, recurrentKernel: randomTensor([4, 20]) })).to.throw(RangeError, '[5, 20]');
    expect(() => ops.lstm(x, { ...parts, bias: randomTensor([5]) })).to.throw(RangeError, 'bias has shape [5]');
    expect(() => ops.lstm(x, { ...parts, gateOrder: 'fijo' as never })).to.throw(TypeError, "'ijfo' or 'ifjo'");
    expect(() => ops.lstm(x, { ...parts, sequenceLength: [1, 2] })).to.throw(RangeError, 'expected 3, one for each');
    expect(() => ops.lstm(x, { ...parts, sequenceLength: [1, 2, 5] })).to.throw(RangeError, 'from 0 to 4, got 5');
    expect(() => ops.lstm(x, { ...parts, initialState: { h: x } as never })).to.throw(TypeError, 'both c and h');
    expect(() => ops.lstm(x, {} as never)).to.throw(TypeError, 'kernel must be');
  });
});

const gruCell =
  (bias: Tensor, recurrentBias: Tensor, units: number): CellFunction =>
  (sums, [h]) => {
    const gate = (at: number): { x: number[]; h: number[] } => {
      const { x, h: fromH } = sums(at);
      return {
        x: x.map((value, u) => value + bias.data[at * units + u]!),
        h: fromH.map((value, u) => value + recurrentBias.data[at * units + u]!),
      };
    };
    const [r, u, c] = [gate(0), gate(1), gate(2)];
    const [reset, update] = [r, u].map(({ x, h: from }) => x.map((value, i) => sigmoid(value + from[i]!)));
    const next = c.x.map((value, i) => Math.tanh(value + reset![i]! * c.h[i]!));
    return [next.map((value, i) => update![i]! * h![i]! + (1 - update![i]!) * value)];
  };

/** The reset gate multiplies the state. */
const gruCellBefore =
  ({ recurrentKernel, bias }: Layer, units: number): CellFunction =>
  (sums, [h]) => {
    const [reset, update] = [0, 1].map((at) => {
      const { x, h: from } = sums(at);
      return x.map((value, i) => sigmoid(value + from[i]! + bias.data[at * units + i]!));
    });
    const from = times(
      h!.map((value, i) => value * reset![i]!),
      recurrentKernel,
    ).slice(2 * units);
    const next = sums(2).x.map((value, i) => Math.tanh(value + from[i]! + bias.data[2 * units + i]!));
    return [next.map((value, i) => update![i]! * h![i]! + (1 - update![i]!) * value)];
  };

describe('gru', () => {
  it('is the cells of TensorFlow, and with the reset after those of PyTorch', () => {
    for (const size of sizes) {
      const [batch, , , units] = size;
      const all = layer(3, size);
      const { x, ...parts } = all;
      const initialState = randomTensor([batch, units], { seed: 7 });
      const lengths = Array.from({ length: batch }, (_, i) => i % (size[1] + 1));
      const before = plain(all, units, [rows(initialState)], gruCellBefore(all, units), lengths);
      const found = ops.gru(x, { ...parts, initialState, sequenceLength: lengths });
      expectClose(found.outputs.data, before.outputs, 1e-13);
      expectClose(
        found.state.data,
        before.last.flatMap(([h]) => h!),
        1e-13,
      );
      const recurrentBias = randomTensor([3 * units], { seed: 8 });
      const after = plain(all, units, [zeros(batch, units)], gruCell(parts.bias, recurrentBias, units));
      const other = ops.gru(x, { ...parts, recurrentBias, resetAfter: true });
      expectClose(other.outputs.data, after.outputs, 1e-13);
      expectClose(
        other.state.data,
        after.last.flatMap(([h]) => h!),
        1e-13,
      );
    }
  });

  it('has the gradients that differences show', () => {
    for (const size of [sizes[0], sizes[1]]) {
      const [batch, , , units] = size;
      const { x, kernel, recurrentKernel, bias } = layer(3, size);
      const all = [x, kernel, recurrentKernel, bias, randomTensor([batch, units], { seed: 7 })];
      const recurrentBias = randomTensor([3 * units], { seed: 8 });
      const lengths = Array.from({ length: batch }, (_, i) => (i * 2 + 1) % 3);
      for (const more of [{}, { sequenceLength: lengths }]) {
        const f = (...xs: Tensor[]): Tensor => {
          const found = ops.gru(xs[0]!, {
            kernel: xs[1]!,
            recurrentKernel: xs[2]!,
            bias: xs[3]!,
            initialState: xs[4]!,
            ...(xs.length > 5 ? { recurrentBias: xs[5]!, resetAfter: true } : {}),
            ...more,
          });
          return ops.add(ops.reduceSum(found.outputs, [1]), ops.square(found.state));
        };
        expectGradients(f, all, 1e-6);
        expectGradients(f, [...all, recurrentBias], 1e-6);
      }
    }
  });

  it('is its cell, again and again', () => {
    const { x, ...parts } = layer(3, [3, 1, 2, 5]);
    const state = randomTensor([3, 5], { seed: 7 });
    const next = ops.gruCell(ops.reshape(x, [3, 2]), state, parts);
    expect(next.data).to.deep.equal(ops.gru(x, { ...parts, initialState: state }).state.data);
  });

  it('refuses a recurrent bias where the reset comes before', () => {
    const { x, ...parts } = layer(3, sizes[1]);
    const recurrentBias = new Float64Array(15);
    expect(() => ops.gru(x, { ...parts, recurrentBias })).to.throw(TypeError, 'recurrentBias belongs to');
  });
});

describe('recurrent layers', () => {
  it('have the same bytes everywhere, and their gradients', () => {
    for (const [dtype] of dtypes) {
      for (const size of [...sizes, [33, 5, 40, 48] as const]) {
        for (const gates of [3, 4]) {
          const { x, ...parts } = layer(gates, size, dtype);
          const all = [x, parts.kernel, parts.recurrentKernel, parts.bias];
          const gradYs = randomTensor([size[0], size[1], size[3]], { seed: 6, dtype });
          for (const resetAfter of gates === 3 ? [false, true] : [false]) {
            expectSameEverywhere(`${gates} gates`, () => {
              const f = (): Tensor => (gates === 4 ? ops.lstm(x, parts) : ops.gru(x, { ...parts, resetAfter })).outputs;
              return [f().data, ...gradients(f, all, { gradYs }).map((g) => (g as Tensor).data)];
            });
          }
        }
      }
    }
  });

  it('do the same in what is compiled', () => {
    const make = () => {
      const { kernel, recurrentKernel, bias } = layer(4, [4, 3, 5, 6], 'float32');
      const variables = [kernel, recurrentKernel, bias].map((of) => variable(of));
      const [k, r, b] = variables;
      const loss = (x: Tensor): Tensor => {
        const { outputs, state } = ops.lstm(x, {
          kernel: k!,
          recurrentKernel: r!,
          bias: b!,
          sequenceLength: [3, 1, 0, 2],
        });
        return ops.add(ops.reduceMean(ops.square(outputs)), ops.reduceSum(ops.mul(state.c, state.h)));
      };
      return { variables, loss, optimizer: new GradientDescentOptimizer({ learningRate: 0.1 }) };
    };
    const [eager, other] = [make(), make()];
    const step = compileStep({
      inputs: { x: { shape: [4, 3, 5] } },
      loss: ({ x }) => other.loss(x),
      optimizer: other.optimizer,
    });
    for (let i = 0; i < 3; i++) {
      const x = randomTensor([4, 3, 5], { seed: i, dtype: 'float32' });
      eager.optimizer.minimize(() => eager.loss(x));
      step.runSync({ x });
    }
    eager.variables.forEach(({ data }, i) => expect([...other.variables[i]!.data]).to.deep.equal([...data]));
  });

  it('work on no time and no example', () => {
    const { kernel, recurrentKernel, bias } = layer(4, sizes[1]);
    for (const shape of [
      [3, 0, 2],
      [0, 4, 2],
    ]) {
      // prettier-ignore
      const x = tensor(new Float64Array(0), shape);
      const found = tidy(() => ops.lstm(x, { kernel, recurrentKernel, bias }));
      expect(found.outputs.shape).to.deep.equal([shape[0], shape[1], 5]);
      expect(found.state.c.data.every((value) => value === 0)).to.equal(true);
    }
  });
});
