import { native } from '../../lib/native';
import type { Bench, Case, Sides } from '../bench';
import { numbers, shared, showThreads } from '../data';
import { timed } from '../harness';
import type { Product } from '../peers/openblas';
import { sampled } from '../sides';

interface Shape {
  readonly m: number;
  readonly k: number;
  readonly n: number;
}

const allOps = ['nn', 'nt', 'tn', 'tt'] as const;
type Op = (typeof allOps)[number];

/** Dense layers, [batch, in] x [in, out]. */
const layers: readonly Shape[] = [
  { m: 64, k: 784, n: 256 },
  { m: 64, k: 256, n: 10 },
];

/** A layer's products in training: forward; its gradients by the weights, xᵀ dy, and by the input, dy wᵀ. */
function training({ m, k, n }: Shape): [Shape, Op][] {
  return [
    [{ m, k, n }, 'nn'],
    [{ m: k, k: m, n }, 'tn'],
    [{ m, k: n, n: k }, 'nt'],
  ];
}

function product({ m, k, n }: Shape, op: Op): Product {
  return [shared(m * n), numbers(m * k, 5, 1), numbers(k * n, 7, 1), m, n, k, op[0] === 't', op[1] === 't'];
}

async function sides({ peers }: Bench, shape: Shape, op: Op, threads: number): Promise<Sides> {
  const ours = product(shape, op);
  const theirs = product(shape, op);
  const blas = await peers.openBlas();
  return [
    { ...timed('gradstep', () => native.gemm(...ours, undefined, false)), result: () => sampled(ours[0]) },
    blas && { ...timed('OpenBLAS', () => blas.gemm(threads, theirs)), result: () => sampled(theirs[0]) },
  ];
}

export const gemm: Case = {
  name: 'gemm',
  about: 'matrix multiplication against OpenBLAS',
  async run(bench) {
    const squares = bench.isQuick ? [64, 512] : [64, 96, 128, 256, 512, 1000, 1024, 2048];
    const large = squares.flatMap((size) =>
      (bench.isQuick ? (['nn'] as const) : allOps).map((op) => [{ m: size, k: size, n: size }, op] as const),
    );
    const compare = async (shape: Shape, op: Op, threads: number, atLeast: number): Promise<void> => {
      const { m, k, n } = shape;
      await bench.contest(
        `gemm ${m} x ${k} x ${n} ${op}, ${showThreads(threads)}`,
        () => sides(bench, shape, op, threads),
        { work: { flops: 2 * m * k * n }, goals: [{ against: 'OpenBLAS', atLeast }] },
      );
    };
    await bench.eachThreadCount(async (threads) => {
      for (const [shape, op] of layers.flatMap(training)) await compare(shape, op, threads, 1);
      for (const [shape, op] of large) await compare(shape, op, threads, 0.92);
    });
  },
};
