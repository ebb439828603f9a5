import { expect } from 'chai';
import fc from 'fast-check';
import { Metrics, type MetricsHandle } from 'gradstep/metrics';

// Anybody who has shared memory can write to it: whatever lies there, nothing but numbers may be wrong.

const help = 'Something.';

function filled(): MetricsHandle {
  const metrics = Metrics.create({ threads: 3, bytesPerThread: 1024 });
  for (const each of [metrics, Metrics.from(metrics.share())]) {
    each.counter('a_total', { help }).inc();
    each.gauge('g', { help, labels: { b: 'c' } }).set(1);
    each.histogram('h', { help, buckets: [1, 2] }).observe(1);
  }
  return metrics.share();
}

/** All that can be done with metrics. Errors are of the library. */
function useAll(handle: MetricsHandle): void {
  try {
    const metrics = Metrics.from(handle);
    metrics.text();
    metrics.counter('a_total', { help }).inc();
    metrics.histogram('h', { help, buckets: [1, 2] }).observe(1);
    metrics.gauge('new', { help }).set(1);
    metrics.text();
  } catch (error) {
    expect((error as Error).message).to.match(/the handle's buffer|places of these metrics|place is full|already$/);
  }
}

/** Words that lie about lengths are near what is there, or far away. */
const word = fc.oneof(
  fc.integer(),
  fc.integer({ min: -64, max: 4096 }),
  fc.constantFrom(0, 1, 8, 2 ** 31 - 1, -(2 ** 31)),
);

describe('memory of metrics that somebody else has written to', () => {
  it('is refused, or read as far as it makes sense', () => {
    const changes = fc.array(fc.tuple(fc.nat(800), word), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(changes, (changes) => {
        const handle = filled();
        const words = new Int32Array(handle.buffer);
        for (const [at, value] of changes) words[at % words.length] = value;
        useAll(handle);
      }),
      { numRuns: 2000 },
    );
  });

  it('of which bytes are noise from somewhere on is, too', () => {
    fc.assert(
      fc.property(fc.nat(3200), fc.uint8Array({ minLength: 1, maxLength: 200 }), (from, noise) => {
        const handle = filled();
        new Uint8Array(handle.buffer).set(noise, Math.min(from, handle.buffer.byteLength - noise.length));
        useAll(handle);
      }),
      { numRuns: 2000 },
    );
  });

  it('may change while it is in use', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(800), word), { minLength: 1, maxLength: 40 }), (changes) => {
        const handle = filled();
        const metrics = Metrics.from(handle);
        const counter = metrics.counter('mine_total', { help });
        const words = new Int32Array(handle.buffer);
        for (const [at, value] of changes) {
          words[at % words.length] = value;
          metrics.text();
          counter.inc();
          useAll(handle);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('has no definition that would not have been taken', () => {
    const texts = [
      '',
      '{}',
      '[]',
      '["counter","a","",[],"sum",[]]',
      '["counter","a\\nb_total","",[],"sum",[]]',
      '["gauge","a","",[["__b","c"]],"sum",[]]',
      '["gauge","a","",[["b","c"]],"mean",[]]',
      '["gauge","a","",{},"sum",[],1]',
      '["histogram","a","",[],"sum",[2,1]]',
    ];
    for (const text of texts) {
      const { buffer } = Metrics.create({ threads: 1 }).share();
      const words = new Int32Array(buffer);
      const bytes = new TextEncoder().encode(text);
      const padded = 16 + Math.ceil(bytes.length / 8) * 8;
      words[33] = padded + 8; // the log of the first place
      words.set([padded + 8, bytes.length, 1, 0], 64);
      new Uint8Array(buffer).set(bytes, 256 + 16);
      expect(Metrics.from({ kind: 'gradstep/metrics', buffer }).collect(), text).to.deep.equal([]);
    }
  });
});
