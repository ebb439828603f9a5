import { expect } from 'chai';
import { AdamOptimizer, GradientDescentOptimizer, variable, type GradientAndVariable, type Variable } from 'gradstep';
import { expectRefused, inChild, type Outcome } from '../support/hostile-child';

const one = (): Float32Array => Float32Array.of(1);

describe('user code that runs in the middle of a step', () => {
  it('a slot initial value that takes a gradient away: the step is refused', () => {
    const { outcome, untouched, state } = inChild<{ outcome: Outcome; untouched: boolean; state: number }>(`
      const n = 1 << 22, v = g.variable(new Float32Array(n)), gradient = new Float32Array(n).fill(1);
      const o = new g.AdagradOptimizer({ learningRate: 1, initialAccumulatorValue: () => { free(gradient); return 0.1; } });
      const outcome = attempt(() => o.applyGradients([[gradient, v]]));
      report({ outcome, untouched: all(v.data, 0), state: o.variables().length });
    `);
    expectRefused(outcome);
    expect({ untouched, state }).to.deep.equal({ untouched: true, state: 0 });
  });

  it("a slot initial value that takes another group's variable away: the step is refused", () => {
    const { outcome, untouched, state } = inChild<{ outcome: Outcome; untouched: boolean; state: number }>(`
      const n = 1 << 22, mine = new Float32Array(n), a = g.Variable.over(mine), b = g.variable(new Float32Array(n));
      const initialAccumulatorValue = () => { free(mine); return 0.1; };
      const o = new g.AdagradOptimizer({ learningRate: 1, groups: [{ variables: [b], initialAccumulatorValue }] });
      const gradient = new Float32Array(n).fill(1);
      const outcome = attempt(() => o.applyGradients([[gradient, a], [gradient, b]]));
      report({ outcome, untouched: all(b.data, 0), state: o.variables().length });
    `);
    expectRefused(outcome);
    expect({ untouched, state }).to.deep.equal({ untouched: true, state: 0 });
  });

  it('a schedule that takes a known gradient away: the step is refused', () => {
    const { outcome, untouched } = inChild<{ outcome: Outcome; untouched: boolean }>(`
      const n = 4096, v = g.variable(new Float32Array(n)), gradient = new Float32Array(n).fill(1);
      let last = false;
      const o = new g.GradientDescentOptimizer({ learningRate: () => { if (last) free(gradient); return 1; } });
      o.applyGradients([[gradient, v]]);
      last = true;
      const outcome = attempt(() => o.applyGradients([[gradient, v]]));
      report({ outcome, untouched: all(v.data, -1) });
    `);
    expectRefused(outcome);
    expect(untouched).to.equal(true);
  });

  it('a getter of a later pair that takes an earlier gradient away: refused whole, or stepped whole', () => {
    type Result = { outcome: Outcome; freed: boolean; a0: boolean; a1: boolean; b: number };
    for (const result of inChild<Result[]>(`
      const n = 1 << 20, results = [];
      for (let last = 1; last <= 10; last++) {
        const a = g.variable(new Float32Array(n)), b = g.variable([0]), gradient = new Float32Array(n).fill(1);
        const pair = [null, b];
        let reads = 0, freed = false;
        Object.defineProperty(pair, 0, { get() { if (++reads === last) { free(gradient); freed = true; } return Float32Array.of(1); } });
        const o = new g.GradientDescentOptimizer({ learningRate: 1 });
        const outcome = attempt(() => o.applyGradients([[gradient, a], pair]));
        results.push({ outcome, freed, a0: all(a.data, 0), a1: all(a.data, -1), b: b.item() });
      }
      report(results);
    `)) {
      const { outcome, ...rest } = result;
      if (outcome.error === null) expect(rest).to.deep.equal({ freed: false, a0: false, a1: true, b: -1 });
      else {
        expectRefused(outcome);
        expect(rest).to.deep.equal({ freed: true, a0: true, a1: false, b: 0 });
      }
    }
  });

  it('a schedule that steps the same optimizer: each step moves its own variables', () => {
    const [a, b] = [variable([0]), variable([0])];
    let isInside = false;
    const optimizer: GradientDescentOptimizer = new GradientDescentOptimizer({
      learningRate: () => {
        if (!isInside) {
          isInside = true;
          optimizer.applyGradients([[one(), b]]);
        }
        return 1;
      },
    });
    optimizer.applyGradients([[Float32Array.of(10), a]]);
    expect([a.item(), b.item()]).to.deep.equal([-10, -1]);
  });

  const mutations: readonly [string, (pairs: GradientAndVariable[]) => void][] = [
    ['reverses', (pairs) => pairs.reverse()],
    ['shortens', (pairs) => (pairs.length = 1)],
    ['empties', (pairs) => (pairs.length = 0)],
    ['takes a gradient out of', (pairs) => ((pairs[1] as [unknown, Variable])[0] = null)],
    ['exchanges a variable of', (pairs) => ((pairs[1] as unknown as [unknown, Variable])[1] = variable([5]))],
    ['lengthens', (pairs) => pairs.push([one(), variable([5])])],
  ];
  for (const [how, mutate] of mutations) {
    it(`a schedule that ${how} the list of pairs: the step is the one that was asked for`, () => {
      const [a, b] = [variable([0]), variable([0])];
      const pairs: GradientAndVariable[] = [
        [one(), a],
        [Float32Array.of(100), b],
      ];
      const learningRate = (): number => {
        mutate(pairs);
        return 1;
      };
      new GradientDescentOptimizer({ learningRate }).applyGradients(pairs);
      expect([a.item(), b.item()]).to.deep.equal([-1, -100]);
    });
  }

  it('a constraint that steps the same Adam: the powers of each group advance once for each of its steps', () => {
    const b = variable([1]);
    let isInside = false;
    const constrained = (optimizer: () => AdamOptimizer): Variable =>
      variable([1], {
        constraint: (x) => {
          if (!isInside) {
            isInside = true;
            optimizer().applyGradients([[one(), b]]);
          }
          return x;
        },
      });
    const a: Variable = constrained(() => optimizer);
    const optimizer: AdamOptimizer = new AdamOptimizer({ groups: [{ variables: [a], beta1: 0.5 }] });
    optimizer.applyGradients([[one(), a]]);
    const powers = optimizer.variables().filter(({ name }) => /beta1_power/.test(name));
    const shown = powers.map((power) => `${power.name} ${power.item().toFixed(10)}`);
    expect(shown).to.deep.equal(['beta1_power 0.8100000000', 'beta1_power_1 0.2500000000']);

    const alone = (beta1: number): number => {
      const v = variable([1]);
      new AdamOptimizer({ beta1 }).applyGradients([[one(), v]]);
      return v.item();
    };
    expect([a.item(), b.item()]).to.deep.equal([alone(0.5), alone(0.9)]);
  });
});
