import { expect } from 'chai';
import { inChild } from '../support/hostile-child';

const megabyte = 2 ** 20;

/**
 * By how many bytes a process grew in the second half of a loop, in which `body` runs `rounds` times; the first half is
 * for caches to fill. With `turning` the event loop turns now and then, without it never.
 */
function growth(setUp: string, body: string, rounds: number, { turning = false } = {}): number {
  const { grown } = inChild<{ grown: number }>(`
    ${setUp}
    const resident = () => { gc(); return process.memoryUsage().rss; };
    (async () => {
      let half = 0;
      for (let i = 0; i < ${rounds}; i++) {
        if (i === ${rounds / 2}) half = resident();
        ${body}
        ${turning ? 'if (i % 20 === 0) { await new Promise(setImmediate); gc(); }' : ''}
      }
      report({ grown: resident() - half });
    })();
  `);
  return grown;
}

describe('memory does not grow', function () {
  this.timeout(120_000);
  before(function () {
    // A sanitizer holds on to what was freed.
    if (process.env['LD_PRELOAD']?.includes('libasan')) this.skip();
  });

  it('when one optimizer steps two lists of variables in turn, without ever returning to the event loop', () => {
    const grown = growth(
      `const variables = Array.from({ length: 50 }, () => g.variable([1, 2, 3]));
       const pairs = variables.map((v) => [Float32Array.of(1, 1, 1), v]);
       const lists = [pairs.slice(0, 25), pairs.slice(25)], o = new g.AdamOptimizer();`,
      'o.applyGradients(lists[i % 2]);',
      20_000,
    );
    expect(grown).to.be.below(20 * megabyte);
  });

  it('when every step has another list of variables', () => {
    const grown = growth(
      `const variables = Array.from({ length: 50 }, () => g.variable([1, 2, 3]));
       const gradient = Float32Array.of(1, 1, 1), o = new g.AdamOptimizer();`,
      `const some = variables.filter((_, k) => (k * 7919 + i * 104729) % 3 !== 0 || k === i % 50);
       o.applyGradients(some.map((v) => [gradient, v]));`,
      20_000,
    );
    expect(grown).to.be.below(20 * megabyte);
  });

  it('when models and their optimizers are dropped, without ever returning to the event loop', () => {
    const grown = growth(
      'const gradient = new Float32Array(2 ** 18).fill(1);',
      'new g.AdamOptimizer().applyGradients([[gradient, g.variable(gradient)]]); if (i % 10 === 0) gc();',
      600,
    );
    expect(grown).to.be.below(200 * megabyte);
  });

  it('when models and their optimizers are dropped, and nobody calls the garbage collector', () => {
    const peak = peakOf(
      'const gradient = new Float32Array(2 ** 20).fill(1);',
      'new g.AdamOptimizer().applyGradients([[gradient, g.variable(gradient)]]);',
      200,
    );
    expect(peak).to.be.below(1200 * megabyte); // all of them would be 2.4 GB
  });

  it('when ops outside of any scope meet ever new lengths', () => {
    const grown = growth('', 'g.ops.neg(new Float32Array(i + 1)).dispose();', 24_000);
    expect(grown).to.be.below(200 * megabyte); // the lengths of the second half alone would be 860 MB
  });

  it('when variables are dropped, and nobody calls the garbage collector', () => {
    const peak = peakOf('const x = new Float32Array(2 ** 22).fill(1);', 'g.variable(x);', 200);
    expect(peak).to.be.below(1200 * megabyte); // all of them would be 3.3 GB
  });

  it('when one optimizer steps ever new variables', () => {
    for (const name of ['GradientDescent', 'Adam']) {
      const grown = growth(
        `const gradient = new Float32Array(2 ** 16), o = new g.${name}Optimizer({ learningRate: 1 });`,
        'o.applyGradients([[gradient, g.variable(gradient)]]);',
        2_000,
        { turning: true },
      );
      expect(grown, name).to.be.below(120 * megabyte); // the variables of the second half alone would be 260 MB
    }
  });
});

/** The most that a process ever held, in which `body` runs `rounds` times. */
function peakOf(setUp: string, body: string, rounds: number): number {
  return inChild<{ peak: number }>(`
    ${setUp}
    let peak = 0;
    for (let i = 0; i < ${rounds}; i++) { ${body} peak = Math.max(peak, process.memoryUsage().rss); }
    report({ peak });
  `).peak;
}
