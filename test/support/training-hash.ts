// A training of 50 steps and the hash of all it leaves behind: one and the same on every system, processor and runtime.
// Run as a program it needs the package and nothing else, and tries every instruction set, threads and a worker.
import {
  AdagradOptimizer,
  AdamOptimizer,
  FtrlOptimizer,
  LambOptimizer,
  MomentumOptimizer,
  RMSPropOptimizer,
  clipByGlobalNorm,
  clipByNorm,
  ops,
  runtime,
  variable,
  type DType,
  type GradientAndVariable,
  type Optimizer,
  type Tensor,
  type Variable,
} from 'gradstep';
import { createHash, type Hash } from 'node:crypto';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';

export const expectedHash = '623e1f4edfadea0a';

/** Reproducible numbers in [-0.5, 0.5). */
function numbers(length: number, seed: number): number[] {
  let state = seed;
  return Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  });
}

/**
 * A classifier with an embedding; sizes are no multiple of anything, and one layer is large enough to be shared out. Gives
 * the gradients of each step, which is to be made before the next ones are asked for.
 */
function* train(optimizer: Optimizer, dtype: DType, steps: number, hash: Hash): Iterable<GradientAndVariable[]> {
  const make = (shape: number[], seed: number): Variable =>
    variable(
      numbers(
        shape.reduce((a, b) => a * b),
        seed,
      ),
      // Slots come in the order of names: those that the library makes up go on counting from what was made before.
      { shape, dtype, name: `Variable_${seed}` },
    );
  const variables = [make([50, 37], 1), make([37, 500], 2), make([500], 3), make([500, 7], 4), make([7], 5)] as const;
  const [embedding, w1, b1, w2, b2] = variables;
  const labels = Int32Array.from({ length: 33 }, (_, i) => i % 7);
  for (let step = 0; step < steps; step++) {
    const rows = Int32Array.from({ length: 33 }, (_, i) => (i * 3 + step) % 50);
    const loss = (): Tensor => {
      const hidden = ops.tanh(ops.add(ops.matMul(ops.gather(embedding, rows), w1), b1));
      const logits = ops.add(ops.matMul(ops.relu(hidden), w2), b2);
      const crossEntropy = ops.sparseSoftmaxCrossEntropyWithLogits(labels, ops.mul(logits, ops.sigmoid(logits)));
      return ops.add(ops.reduceMean(crossEntropy), ops.mul(ops.l2Loss(w2), 0.01));
    };
    const pairs = optimizer.computeGradients(loss, { varList: [...variables] });
    if (step % 2 === 0) yield clipByGlobalNorm(pairs, 0.5)[0];
    else yield pairs.map(([gradient, v]) => [gradient && clipByNorm(gradient, 0.25), v]);
  }
  for (const { data } of [...variables, ...optimizer.variables()]) {
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
}

function optimizers(): Optimizer[] {
  return [
    new MomentumOptimizer({ learningRate: 0.05, momentum: 0.9, useNesterov: true }),
    new AdamOptimizer({ learningRate: 0.01 }),
    new RMSPropOptimizer({ learningRate: 0.001 }),
    new AdagradOptimizer({ learningRate: 0.05 }),
    new FtrlOptimizer({ learningRate: 0.05 }),
    new LambOptimizer({ learningRate: 0.01 }),
  ];
}

const dtypeOf = (i: number): DType => (i % 2 === 0 ? 'float32' : 'float64');
const short = (hash: Hash): string => hash.digest('hex').slice(0, 16);

export function trainingHash(): string {
  const hash = createHash('sha256');
  optimizers().forEach((optimizer, i) => {
    for (const pairs of train(optimizer, dtypeOf(i), 50, hash)) optimizer.applyGradients(pairs);
  });
  return short(hash);
}

/** The same with steps off the event loop. */
export async function trainingHashAsync(): Promise<string> {
  const hash = createHash('sha256');
  for (const [i, optimizer] of optimizers().entries()) {
    for (const pairs of train(optimizer, dtypeOf(i), 50, hash)) await optimizer.applyGradientsAsync(pairs);
  }
  return short(hash);
}

/** What a worker is started with that is to compute the hash. */
const asked = 'training-hash';

function hashInWorker(): Promise<string> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(__filename, { workerData: asked });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

async function main(): Promise<void> {
  let failed = 0;
  const say = (where: string, hash: string): void => {
    if (hash !== expectedHash) failed++;
    console.log(`${hash === expectedHash ? 'same bits' : `OTHER BITS, ${hash},`} ${where}`);
  };
  const [best = ''] = runtime.availableIsas;
  let count = 0;
  for (const isa of runtime.availableIsas) {
    for (const threads of isa === best ? [1, 3] : [2]) {
      runtime.useIsa(isa);
      runtime.threads = threads;
      say(`on ${isa} with ${threads} threads`, trainingHash());
      say(`on ${isa} with ${threads} threads, off the event loop`, await trainingHashAsync());
      count += 2;
    }
  }
  runtime.useIsa(best as typeof runtime.isa);
  if (process.env['GRADSTEP_TEST_WORKERS'] !== '0') {
    say('in a worker', await hashInWorker());
    count++;
  }
  console.log(`${count - failed} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
}

if (workerData === asked) parentPort?.postMessage(trainingHash());
else if (isMainThread && require.main === module) void main();
