import { expect } from 'chai';
import {
  AdamOptimizer,
  createGlobalStep,
  GradientDescentOptimizer,
  MomentumOptimizer,
  tensor,
  Variable,
  type FloatArray,
  type GradientAndVariable,
  type Optimizer,
} from 'gradstep';

const ramp = (length: number): Float32Array => Float32Array.from({ length }, (_, i) => Math.sin(i));
const makers: readonly (() => Optimizer)[] = [
  () => new GradientDescentOptimizer({ learningRate: 0.5 }),
  () => new MomentumOptimizer({ learningRate: 0.5, momentum: 0.9 }),
  () => new AdamOptimizer(),
];

/** A step that is refused: memory, state and the step's number stay as they were. */
function expectRefusedStep(pairs: readonly GradientAndVariable[], memory: FloatArray): void {
  for (const make of makers) {
    const [optimizer, globalStep, before] = [make(), createGlobalStep(), memory.slice()];
    expect(() => optimizer.applyGradients(pairs, { globalStep })).to.throw(Error, /overlap|memory/);
    expect(memory).to.deep.equal(before);
    expect(optimizer.variables()).to.deep.equal([]);
    expect(globalStep.value).to.equal(0);
  }
}

// What came out would depend on the order in which threads get to it.
describe('memory that overlaps', () => {
  for (const n of [2, 17, 1000, 40_001]) {
    for (const shift of new Set([1, -1, Math.floor(n / 2)])) {
      it(`a gradient ${shift} elements from its variable of ${n} is refused`, () => {
        const memory = ramp(n + Math.abs(shift));
        const [from, to] = shift > 0 ? [shift, 0] : [0, -shift];
        const v = Variable.over(memory.subarray(to, to + n));
        expectRefusedStep([[memory.subarray(from, from + n), v]], memory);
      });
    }

    it(`two variables that share one of ${n} elements are refused`, () => {
      const memory = ramp(2 * n - 1);
      const [a, b] = [Variable.over(memory.subarray(0, n)), Variable.over(memory.subarray(n - 1))];
      const pairs = (first: Variable, second: Variable): GradientAndVariable[] => [
        [ramp(n), first],
        [ramp(n), second],
      ];
      expectRefusedStep(pairs(a, b), memory);
      expectRefusedStep(pairs(b, a), memory);
    });

    it(`two variables over the same ${n} elements are refused`, () => {
      const memory = ramp(n);
      const [a, b] = [Variable.over(memory), Variable.over(memory)];
      expectRefusedStep(
        [
          [ramp(n), a],
          [ramp(n), b],
        ],
        memory,
      );
    });
  }

  it('shared memory is memory too', () => {
    const buffer = new SharedArrayBuffer(4 * 11);
    const at = (offset: number): Float32Array => new Float32Array(buffer, 4 * offset, 10);
    expectRefusedStep([[at(0), Variable.over(at(1))]], new Float32Array(buffer));
    const doubles = new Float64Array(buffer, 0, 5);
    const pairs: GradientAndVariable[] = [
      [new Float64Array(5), Variable.over(doubles)],
      [new Float32Array(10), Variable.over(at(0))],
    ];
    expectRefusedStep(pairs, new Float32Array(buffer));
  });

  it('variables that lie side by side step', () => {
    const memory = new Float32Array(20);
    const [a, b] = [Variable.over(memory.subarray(0, 7)), Variable.over(memory.subarray(7))];
    new GradientDescentOptimizer({ learningRate: 1 }).applyGradients([
      [new Float32Array(7).fill(1), a],
      [new Float32Array(13).fill(2), b],
    ]);
    expect([...memory]).to.deep.equal([...new Array<number>(7).fill(-1), ...new Array<number>(13).fill(-2)]);
  });

  it("a gradient that is its variable's own memory is read before it is written", () => {
    for (const n of [1, 17, 100_003]) {
      const memory = new Float32Array(n + 1).fill(2);
      const v = Variable.over(memory.subarray(1));
      const optimizer = new GradientDescentOptimizer({ learningRate: 0.25 });
      optimizer.applyGradients([[memory.subarray(1), v]]);
      optimizer.applyGradients([[v.data, v]]);
      expect(v.data.every((x) => x === 1.125)).to.equal(true);
      expect(memory[0]).to.equal(2);
    }
  });

  it('one gradient may be that of two variables', () => {
    const [a, b, gradient] = [Variable.over(ramp(33)), Variable.over(ramp(33)), tensor(ramp(33))];
    new GradientDescentOptimizer({ learningRate: 1 }).applyGradients([
      [gradient, a],
      [gradient, b],
    ]);
    expect([...a.data, ...b.data].every((x) => x === 0)).to.equal(true);
  });
});
