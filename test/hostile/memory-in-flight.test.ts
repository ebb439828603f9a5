import { expect } from 'chai';
import { inChild } from '../support/hostile-child';

// What becomes of memory while a step off the event loop is at it: each in a process of its own, as it may end it.
describe('memory of a step that is under way', () => {
  it('stays when nobody else holds on to it, and the collector runs', () => {
    const right = inChild<boolean>(`
      const one = (i) => {
        const v = g.variable(new Float32Array(300_000).fill(1));
        const table = g.variable(new Float32Array(60_000), { shape: [10_000, 6] });
        const rows = new g.IndexedSlices(g.tensor(new Float32Array(12).fill(1), [2, 6]), [i, i + 1]);
        const shared = new Float32Array(new SharedArrayBuffer(4 * 300_000)).fill(1);
        const optimizer = new g.GradientDescentOptimizer({ learningRate: 1 });
        const pairs = [[i % 2 === 0 ? shared : shared.slice(), v], [rows, table]];
        const weak = new WeakRef(v);
        const over = Promise.all([1, 2, 3].map(() => optimizer.applyGradientsAsync(pairs)));
        return over.then(() => { const left = weak.deref(); return left === undefined || all(left.data, -2); });
      };
      (async () => {
        let isRight = true;
        for (let round = 0; round < 10; round++) {
          const results = [0, 1, 2].map(one);
          gc(); gc();
          await new Promise(setImmediate);
          gc();
          isRight = (await Promise.all(results)).every(Boolean) && isRight;
        }
        report(isRight);
      })();`);
    expect(right).to.equal(true);
  });

  it('is another for gradients that are transferred, resized or written meanwhile', () => {
    const right = inChild<boolean>(`
      const n = 200_000;
      const v = g.variable(new Float32Array(n));
      const optimizer = new g.GradientDescentOptimizer({ learningRate: 1 });
      (async () => {
        const promises = [];
        for (let i = 0; i < 20; i++) {
          const plain = new Float32Array(n).fill(1);
          const resizable = new Float32Array(new ArrayBuffer(4 * n, { maxByteLength: 8 * n })).fill(1);
          const made = g.tensor(plain);
          for (const gradient of [plain, resizable, made]) promises.push(optimizer.applyGradientsAsync([[gradient, v]]));
          promises.push(g.clipByGlobalNormAsync([plain, made], 1));
          free(plain);
          resizable.buffer.resize(0);
          free(made.data);
        }
        await Promise.allSettled(promises);
        report(all(v.data, -60));
      })();`);
    expect(right).to.equal(true);
  });

  it('is not written by what is refused, nor freed by slots that are disposed of', () => {
    const outcomes = inChild<{ refused: string[]; right: boolean }>(`
      const v = g.variable(new Float32Array(500_000).fill(1));
      const optimizer = new g.MomentumOptimizer({ learningRate: 1, momentum: 0 });
      optimizer.createSlots([v]);
      (async () => {
        const over = optimizer.applyGradientsAsync([[new Float32Array(500_000).fill(1), v]]);
        const refused = [() => v.dispose(), () => g.clipByValue(v, 0, 0, { inPlace: true }), () => optimizer.dispose()]
          .map((f) => attempt(f).message.split('await its ')[1]);
        optimizer.getSlot(v, 'momentum').dispose();
        gc(); gc();
        await over;
        report({ refused, right: all(v.data, 0) });
      })();`);
    expect(outcomes.right).to.equal(true);
    for (const message of outcomes.refused) expect(message).to.equal('promise, or optimizer.idle(), first');
  });
});
