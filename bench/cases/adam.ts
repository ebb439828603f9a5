import { AdamOptimizer } from 'gradstep';
import type { Bench, Case, Sides } from '../bench';
import { numbers, shared, showCount, showThreads, weights } from '../data';
import { timed } from '../harness';
import { compiled, limit } from '../limit';
import { adamBytes, adamSide, pairsOf } from '../ours';
import { adam as plainAdam } from '../peers/plain-js';
import { sampled, unchecked, type Side } from '../sides';
import { arithmetic } from '../traffic';

/** The plain JavaScript loop, on arrays of its own. */
export function plainAdamSide(n: number): Side {
  const w = weights(n, 7, 2 ** -6);
  const g = numbers(n, 5, 1);
  const slots = [shared(n), shared(n)];
  let step = 0;
  const run = (): void => {
    step++;
    plainAdam(w, g, slots, [1e-3, 0.9, 0.999, 1e-8, 0.9 ** step, 0.999 ** step]);
  };
  return { ...timed('plain JavaScript', run), result: () => sampled(w) };
}

/** Against the machine: the limit loop works on our own arrays, and so does plain C++'s Adam. */
async function limitSides(n: number, threads: number): Promise<Sides> {
  const pairs = pairsOf([n]);
  const optimizer = new AdamOptimizer();
  const ours = unchecked(adamSide('gradstep', pairs, { optimizer })); // the other contests check it
  await ours.turn(1);
  const small = (length: number): (() => void) => {
    const { turn } = adamSide('gradstep', pairsOf([length]));
    return () => void turn(1);
  };
  const [g, ...written] = pairs.arrays(optimizer)[0]! as [Float32Array, Float32Array, Float32Array, Float32Array];
  return [
    ours,
    timed('limit', limit.update(threads, g, ...written)),
    arithmetic(small, n, threads),
    timed('plain C++ Adam', () => compiled.adam(threads, g, ...written)),
  ];
}

/** What all peers can do: one variable. */
async function peerSides({ peers }: Bench, n: number, threads: number): Promise<Sides> {
  const torch = await peers.torch();
  const tfjs = await peers.tfjs();
  const jax = await peers.jax();
  return [
    adamSide('gradstep', pairsOf([n])),
    torch && (await torch.side('PyTorch', 'adam', threads, { sizes: [n], foreach: false })),
    jax && jax.adam(n),
    tfjs && (await tfjs.adam('wasm', n)),
    tfjs && (await tfjs.adam('cpu', n)),
    plainAdamSide(n),
  ];
}

/** The JavaScript ones have one thread, whatever we have: what a user of all the machine gains. */
const peerGoals = [
  { against: 'TensorFlow.js CPU', atLeast: 250 },
  { against: 'TensorFlow.js WASM', atLeast: 8 },
  { against: 'jax-js WASM', atLeast: 8 },
  { against: 'plain JavaScript', atLeast: 5 },
  { against: 'PyTorch', atLeast: 2.5 },
];

export const adam: Case = {
  name: 'adam',
  about: 'Adam against the limit, plain JavaScript and the other libraries',
  usesPackages: true,
  async run(bench) {
    for (const n of [2 ** 16, bench.isQuick ? 2 ** 22 : 2 ** 25]) {
      await bench.eachThreadCount((threads) =>
        bench.contest(
          `adam ${showCount(n)} parameters against the limit, ${showThreads(threads)}`,
          () => limitSides(n, threads),
          {
            work: { parameters: n, bytes: adamBytes(n) },
            goals: [{ against: 'limit', or: 'arithmetic', atLeast: 0.95 }],
            patience: 2,
          },
        ),
      );
    }
    for (const n of [2 ** 12, 2 ** 16, 2 ** 20]) {
      await bench.contest(
        `adam ${showCount(n)} parameters against plain JavaScript`,
        () => [adamSide('gradstep', pairsOf([n]), { threads: 1 }), plainAdamSide(n)],
        {
          work: { parameters: n, bytes: adamBytes(n) },
          tolerance: 1e-6,
          scale: 1,
        },
      );
    }
    const size = bench.isQuick ? 2 ** 18 : 2 ** 22;
    await bench.eachThreadCount((threads) =>
      bench.contest(
        `adam ${showCount(size)} parameters against peers, ${showThreads(threads)}`,
        () => peerSides(bench, size, threads),
        {
          work: { parameters: size, bytes: adamBytes(size) },
          goals: peerGoals.filter(({ against }) => threads === bench.allThreads || against === 'PyTorch'),
          // Of the displacement after three steps, 3e-3. PyTorch adds epsilon in another place.
          tolerance: 1e-5,
          scale: 1,
          patience: 4,
        },
      ),
    );
  },
};
