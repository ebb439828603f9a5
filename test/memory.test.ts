import { expect } from 'chai';
import { runScript } from './support/child';

// In a process of its own, so that what other tests left behind does not count.
const loop = (steps: number, body: string): string => `
  const { AdamOptimizer, clipByGlobalNorm, ops, variable, tensor, tidy } = require('gradstep');
  const w = variable(new Float32Array(64 * 32).fill(0.01), { shape: [64, 32] });
  const b = variable(new Float32Array(32));
  const x = tensor(new Float32Array(16 * 64).fill(0.5), [16, 64]);
  const optimizer = new AdamOptimizer();
  const loss = () => ops.reduceMean(ops.square(ops.relu(ops.add(ops.matMul(x, w), b))));
  const run = (steps) => { for (let i = 0; i < steps; i++) { ${body} } };
  run(2000);
  global.gc?.();
  const before = process.memoryUsage();
  run(${steps});
  const peak = process.memoryUsage();
  global.gc?.();
  const after = process.memoryUsage();
  console.log(JSON.stringify({ rss: after.rss - before.rss, arrays: peak.arrayBuffers - before.arrayBuffers }));
`;

const growth = (script: string): { rss: number; arrays: number } => {
  const { stdout, stderr, status } = runScript(`require('node:v8').setFlagsFromString('--expose-gc');
    globalThis.gc = require('node:vm').runInNewContext('gc');${script}`);
  expect(status, stderr).to.equal(0);
  return JSON.parse(stdout) as { rss: number; arrays: number };
};

describe('memory', function () {
  this.timeout(120_000);

  it('stays flat over 100,000 steps of a small model', () => {
    const { rss, arrays } = growth(loop(100_000, 'optimizer.minimize(loss);'));
    expect(rss).to.be.below(16 * 2 ** 20);
    expect(arrays).to.be.below(64 * 2 ** 10);
  });

  it('no array is allocated by a step that computes, clips and applies', () => {
    const body =
      'const [clipped] = clipByGlobalNorm(optimizer.computeGradients(loss), 0.01); optimizer.applyGradients(clipped);';
    expect(growth(loop(5_000, body)).arrays).to.be.below(64 * 2 ** 10);
  });

  it('stays flat when every step has another batch size', () => {
    const body = `
      const n = 1 + (i * 7919) % 997;
      optimizer.minimize(() => ops.reduceMean(ops.square(ops.matMul(tensor(new Float32Array(n * 64), [n, 64]), w))));`;
    expect(growth(loop(3_000, body)).rss).to.be.below(96 * 2 ** 20);
  });

  it('stays flat outside of training, in tidy', () => {
    expect(growth(loop(20_000, 'tidy(() => loss().item());')).arrays).to.be.below(64 * 2 ** 10);
  });
});
