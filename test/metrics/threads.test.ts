import { expect } from 'chai';
import { Metrics } from 'gradstep/metrics';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { runScript } from '../support/child';
import type { CountOrder } from '../support/metrics-worker';
import { parsePrometheusText } from '../support/prometheus-text';

const script = join(__dirname, '..', 'support', 'metrics-worker.js');

const fresh = (): Float64Array => new Float64Array(new SharedArrayBuffer(8));

function start(metrics: Metrics, order: Omit<CountOrder, 'handle' | 'told'> & { told?: Float64Array } = {}): Worker {
  const worker = new Worker(script, { workerData: { told: fresh(), ...order, handle: metrics.share() } });
  worker.on('error', () => {});
  return worker;
}

const exit = (worker: Worker): Promise<void> => new Promise((resolve) => worker.once('exit', () => resolve()));
const message = (worker: Worker): Promise<void> => new Promise((resolve) => worker.once('message', () => resolve()));

/** The numbers of all series, by name. */
function totals(metrics: Metrics): Record<string, number> {
  const totals: Record<string, number> = {};
  for (const { samples } of metrics.collect()) {
    for (const { name, value } of samples) totals[name] = (totals[name] ?? 0) + value;
  }
  return totals;
}

describe('metrics of several threads', function () {
  this.timeout(60_000);

  it('are complete when all have ended, however they did', async () => {
    const metrics = Metrics.create();
    const own = metrics.counter('counted_total', { help: 'Counted.' });
    const workers = ([undefined, 'exit', 'throw', undefined] as const).map((end, i) =>
      start(metrics, { times: 10_000 * (i + 1), ...(end && { end }), label: i % 2 === 0 ? 'even' : 'odd' }),
    );
    own.inc(5);
    await Promise.all(workers.map(exit));
    const series = metrics.collect().find(({ name }) => name === 'counted_total')!.samples;
    expect(series.map(({ labels, value }) => [labels['who'], value])).to.deep.equal([
      ['even', 40_000],
      ['odd', 60_000],
      [undefined, 5],
    ]);
    expect(totals(metrics)).to.include({ observed_count: 100_000, observed_sum: 100_000, observed_nonfinite_total: 0 });
  });

  it('fit together and never fall while they are written', async () => {
    const metrics = Metrics.create();
    const workers = [0, 1, 2].map((i) => start(metrics, { label: String(i) }));
    let last: Record<string, number> = {};
    for (let i = 0; i < 200; i++) {
      parsePrometheusText(metrics.text()); // which looks at buckets and counts
      const now = totals(metrics);
      for (const name of ['counted_total', 'observed_count', 'observed_sum']) {
        expect(now[name] ?? 0, name).to.be.at.least(last[name] ?? 0);
        expect((now[name] ?? 0) % 1, name).to.equal(0);
      }
      last = now;
      await new Promise(setImmediate);
    }
    await Promise.all(workers.map((worker) => worker.terminate()));
  });

  it('have no number that nobody has written', async () => {
    const metrics = Metrics.create();
    // Not a byte is the same in both.
    const flips = [1.1e-300, -7.7e299] as const;
    const worker = start(metrics, { flips });
    await message(worker);
    const seen = new Set<number>();
    const end = performance.now() + 20_000;
    for (let i = 0; i < 50_000 || (seen.size < 2 && performance.now() < end); i++) {
      seen.add(metrics.collect()[0]!.samples[0]!.value);
    }
    await worker.terminate();
    expect(seen).to.deep.equal(new Set(flips));
  });

  it('keep what a terminated thread has counted, and the next goes on in its place', async () => {
    const metrics = Metrics.create({ threads: 1 });
    const told = fresh();
    let terminations = 0;
    for (; terminations < 12; terminations++) {
      const worker = start(metrics, { told });
      const before = told[0]!;
      while (told[0]! < before + 1000 * (terminations % 5) + 1) await new Promise(setImmediate);
      await worker.terminate();
      const { counted_total: counted, observed_count: observed, observed_sum: sum } = totals(metrics);
      // Between counting and telling of it, it may be terminated once in each life.
      expect(counted).to.be.within(told[0]!, told[0]! + terminations + 1);
      expect(observed).to.be.within(told[0]!, counted!);
      expect(sum, 'what is observed is in the sum and in its bucket').to.equal(observed);
    }
    expect(metrics.collect().find(({ name }) => name === 'counted_total')!.samples).to.have.lengthOf(1);
  });

  it('have gauges of those that run, and the last one of all', async () => {
    const metrics = Metrics.create();
    const first = start(metrics, { times: 1, end: 'stay' });
    const second = start(metrics, { times: 2, end: 'stay' });
    await Promise.all([message(first), message(second)]);
    expect(totals(metrics)).to.include({ alive: 2 });
    const { last } = totals(metrics);
    await first.terminate();
    expect(totals(metrics)).to.include({ alive: 1, last });
    await second.terminate();
    expect(totals(metrics)).to.include({ alive: 0, last, counted_total: 3 });
    await exit(start(metrics, { times: 4 }));
    expect(totals(metrics)).to.include({ alive: 0, last: 4, counted_total: 7 });
  });

  it('leave a place when nobody has the metrics any more', () => {
    const program = `
      require('v8').setFlagsFromString('--expose-gc');
      const gc = require('vm').runInNewContext('gc');
      const { Metrics } = require('gradstep/metrics');
      const metrics = Metrics.create({ threads: 2 });
      const kept = Metrics.from(metrics.share()).counter('a_total', { help: '' });
      (async () => {
        for (let i = 0; i < 20; i++) {
          Metrics.from(metrics.share()).counter('a_total', { help: '' }).inc();
          for (let turn = 0; turn < 3; turn++) { gc(); await new Promise(setImmediate); }
          kept.inc();
        }
        console.log(metrics.collect()[0].samples[0].value);
      })();`;
    const { stdout, stderr } = runScript(program);
    expect(stderr).to.equal('');
    expect(stdout).to.equal('40\n');
  });
});
