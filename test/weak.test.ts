import { expect } from 'chai';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';

import { native } from '../lib/native';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

describe('a watched object', () => {
  it('is found by its number while it lives', () => {
    const object = { name: 'kept' };
    const id = native.watch(object, 100);
    collect();
    expect(native.watched(id)).to.equal(object);
    expect(native.watch({}, 0)).not.to.equal(id);
  });

  it('is gone once the collector has run, in the same turn of the event loop', () => {
    const ids = Array.from({ length: 100 }, () => native.watch(new Array(1000).fill(0), 8000));
    collect();
    expect(ids.filter((id) => native.watched(id) !== undefined)).to.have.lengthOf.at.most(2);
  });

  it('leaves its place to others, which are not taken for it', () => {
    const old = Array.from({ length: 1000 }, () => native.watch({}, 0));
    collect();
    const held = Array.from({ length: 2000 }, (_, i) => ({ i }));
    const ids = held.map((object) => native.watch(object, 0));
    expect(Math.min(...ids.map((id) => id % 2 ** 32))).to.be.lessThan(Math.max(...old.map((id) => id % 2 ** 32)));
    expect(old.filter((id) => native.watched(id) !== undefined)).to.have.lengthOf.at.most(2);
    expect(ids.every((id, i) => native.watched(id) === held[i])).to.equal(true);
  });

  it('makes the engine collect in time and is off its books afterwards, without a turn of the event loop', () => {
    collect();
    const before = process.memoryUsage().external;
    let most = 0;
    for (let i = 0; i < 4000; i++) {
      native.watch(new Array(100).fill(i), 2 ** 20);
      if (i % 100 === 0) most = Math.max(most, process.memoryUsage().external - before);
    }
    expect(most).to.be.lessThan(2 ** 30); // of 4 GB
    collect();
    native.watch({}, 2 ** 25);
    native.watch({}, 0); // sweeps
    expect(process.memoryUsage().external - before).to.be.lessThan(2 ** 27);
  });

  it('is refused if it is none; no other number finds anything', () => {
    expect(() => native.watch(1 as unknown as object, 0)).to.throw(TypeError, 'object');
    expect(() => native.watch({}, -1)).to.throw(RangeError, 'bytes');
    for (const id of [-1, 0.5 + 2 ** 40, 2 ** 31, 2 ** 60, NaN, Infinity]) {
      expect(native.watched(id), String(id)).to.equal(undefined);
    }
  });

  it('belongs to its thread, which may end with objects watched', async () => {
    const code = `const { native } = require(${JSON.stringify(require.resolve('../lib/native'))});
      globalThis.held = [];
      for (let i = 0; i < 1000; i++) { const o = { i }; if (i % 2) held.push(o); native.watch(o, 1e6); }
      process.exit(native.watched(1) === held[0] ? 0 : 1);`;
    const exits = await Promise.all(
      Array.from({ length: 4 }, () => {
        const worker = new Worker(code, { eval: true });
        return new Promise((resolve) => worker.once('exit', resolve));
      }),
    );
    expect(exits).to.deep.equal([0, 0, 0, 0]);
  });
});
