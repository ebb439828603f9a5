import { IndexedSlices, Variable, type Optimizer } from 'gradstep';
import { middling, optimizerCases, type OptimizerCase } from '../support/optimizer-cases';
import { dtypes, expectSameEverywhere, generator, random, unaligned, type Make } from '../support/parity';

// Around the lanes of a vector, some blocks, and beyond the two blocks from which on threads share the work.
const lengths = [0, 1, 15, 16, 17, 31, 32, 33, 1000, 40000];
const rowElements = 5;

/** Two steps of every length, the second with NaN, infinities, denormals and -0 among the gradients. */
function dense(optimizerCase: OptimizerCase, make: Make) {
  const { optimizer, globalStep } = optimizerCase.create(middling(optimizerCase));
  const variables = lengths.map((n, i) => Variable.over(random(make, n, i + 1), { name: `w${i}` }));
  const seen = [];
  for (const withSpecials of [false, true]) {
    const pairs = variables.map((w, i) => [random(make, w.size, 100 + i, withSpecials), w] as const);
    optimizer.applyGradients(pairs, globalStep && { globalStep });
    seen.push(...everything(variables, optimizer));
  }
  return seen;
}

/** Repeated, unsorted rows of a variable large enough for threads. */
function sparse(optimizerCase: OptimizerCase, make: Make) {
  const { optimizer, globalStep } = optimizerCase.create(middling(optimizerCase));
  const [rows, count] = [9000, 7500];
  const w = Variable.over(random(make, rows * rowElements, 1), { shape: [rows, rowElements], name: 'w' });
  const next = generator(7);
  const seen = [];
  for (const withSpecials of [false, true]) {
    const indices = Int32Array.from({ length: count }, () => Math.floor(next() * rows));
    const values = random(make, count * rowElements, 3, withSpecials);
    const gradient = new IndexedSlices(values, indices, [rows, rowElements]);
    optimizer.applyGradients([[gradient, w]], globalStep && { globalStep });
    seen.push(...everything([w], optimizer));
  }
  return seen;
}

const everything = (variables: readonly Variable[], optimizer: Optimizer) =>
  [...variables, ...optimizer.variables()].map(({ data }) => data.slice());

describe('a step gives the same bytes on every instruction set and with 1, 2 and 3 threads', () => {
  for (const optimizerCase of optimizerCases) {
    for (const [dtype, make] of dtypes) {
      it(`${optimizerCase.name}, ${dtype}`, () => {
        expectSameEverywhere('dense', () => dense(optimizerCase, make));
        expectSameEverywhere('sparse', () => sparse(optimizerCase, make));
      });
    }
  }
});

describe('a step writes nothing but its variable', () => {
  for (const optimizerCase of optimizerCases) {
    it(optimizerCase.name, () => {
      for (const [, make] of dtypes) {
        for (const n of lengths.filter((length) => length < 100)) {
          const memory = unaligned(make, n + 64).fill(7);
          const { optimizer, globalStep } = optimizerCase.create(middling(optimizerCase));
          const w = Variable.over(memory.subarray(17, 17 + n));
          optimizer.applyGradients([[random(make, n, 1), w]], globalStep && { globalStep });
          const around = [...memory.subarray(0, 17), ...memory.subarray(17 + n)];
          if (!around.every((value) => value === 7)) throw new Error(`${n} elements: wrote outside of them`);
        }
      }
    });
  }
});
