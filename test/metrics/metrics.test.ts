import { expect } from 'chai';
import fc from 'fast-check';
import { Metrics, type MetricsOptions } from 'gradstep/metrics';

/** The numbers of a metric, by name and labels. */
function valuesOf(metrics: Metrics): Record<string, number> {
  const samples = metrics.collect().flatMap(({ samples }) => samples);
  return Object.fromEntries(
    samples.map(({ name, labels, value }) => [[name, ...Object.values(labels)].join(' '), value]),
  );
}

const help = 'Something.';

describe('a counter', () => {
  it('is the sum of what was added', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1e9, noNaN: true })), (added) => {
        const metrics = Metrics.create();
        const counter = metrics.counter('a_total', { help });
        added.forEach((by) => counter.inc(by));
        counter.inc();
        expect(valuesOf(metrics)).to.deep.equal({ a_total: added.reduce((sum, by) => sum + by, 0) + 1 });
      }),
    );
  });

  it('refuses what would not be counting, and stays', () => {
    const metrics = Metrics.create();
    const counter = metrics.counter('a_total', { help });
    for (const by of [-1, NaN, Infinity]) expect(() => counter.inc(by)).to.throw(RangeError, 'by must be finite');
    for (const by of ['1', 1n, null]) expect(() => counter.inc(by as never)).to.throw(TypeError, 'by must be a number');
    expect(valuesOf(metrics)).to.deep.equal({ a_total: 0 });
  });

  it('is the same one for the same labels, in any order and of any kind', () => {
    const metrics = Metrics.create();
    metrics.counter('a_total', { help, labels: { x: 1, y: 'b' } }).inc();
    metrics.counter('a_total', { help, labels: { y: 'b', x: '1' } }).inc();
    metrics
      .withLabels({ x: 1 })
      .counter('a_total', { help, labels: { y: 'b' } })
      .inc();
    metrics.counter('a_total', { help: 'Said otherwise.', labels: { y: 'b', x: 1 } }).inc();
    expect(valuesOf(metrics)).to.deep.equal({ 'a_total 1 b': 4 });
    expect(metrics.collect()[0]!.help).to.equal(help);
  });
});

describe('a gauge', () => {
  it('is what was set, more, and less', () => {
    const metrics = Metrics.create();
    const gauge = metrics.gauge('a', { help });
    gauge.set(5);
    gauge.inc();
    gauge.inc(2.5);
    gauge.dec();
    gauge.dec(0.5);
    expect(valuesOf(metrics)).to.deep.equal({ a: 7 });
    for (const call of ['set', 'inc', 'dec'] as const) expect(() => gauge[call]('1' as never)).to.throw(TypeError);
  });

  it('is not there before it is set, unless it is a sum', () => {
    const metrics = Metrics.create();
    for (const aggregate of ['min', 'max', 'last', 'sum'] as const) metrics.gauge(aggregate, { help, aggregate });
    expect(valuesOf(metrics)).to.deep.equal({ sum: 0 });
  });

  it('of several threads is their sum, the least, the greatest, or the last', () => {
    const each = fc.array(fc.double({ noNaN: true }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(each, (values) => {
        const first = Metrics.create();
        // Each of these writes to a place of its own, as a thread does.
        for (const value of values) {
          const metrics = Metrics.from(first.share());
          for (const aggregate of ['min', 'max', 'sum'] as const)
            metrics.gauge(aggregate, { help, aggregate }).set(value);
          kept.push(metrics);
        }
        const sum = values.reduce((sum, value) => sum + value, 0);
        const of = valuesOf(first);
        expect([of['min'], of['max'], of['sum']]).to.deep.equal(
          [Math.min(...values), Math.max(...values), sum].map(plain),
        );
        kept.length = 0;
      }),
    );
  });

  it('that is the last is what was set last', () => {
    const metrics = [Metrics.create()];
    metrics.push(Metrics.from(metrics[0]!.share()));
    const gauges = metrics.map((each) => each.gauge('a', { help, aggregate: 'last' }));
    for (const [i, value] of [1, 0, 0, 1, 1, 0].entries()) {
      gauges[value]!.set(i);
      expect(metrics.map(valuesOf)).to.deep.equal([{ a: i }, { a: i }]);
    }
  });
});

const kept: Metrics[] = [];
const plain = (value: number): number => (value === 0 ? value : value);

describe('a histogram', () => {
  const limits = fc.uniqueArray(fc.double({ noNaN: true, noDefaultInfinity: true }), {
    minLength: 1,
    maxLength: 20,
    comparator: (a, b) => a === b,
  });

  it('counts each value in all buckets whose limit is not less, as a plain loop does', () => {
    fc.assert(
      fc.property(limits, fc.array(fc.double()), (unordered, random) => {
        const buckets = [...unordered].sort((a, b) => a - b);
        const values = [...random, ...buckets];
        const metrics = Metrics.create();
        const histogram = metrics.histogram('h', { help, buckets });
        for (const value of values) histogram.observe(value);
        const finite = values.filter(Number.isFinite);
        const samples = metrics.collect()[0]!.samples.map(({ value }) => value);
        expect(samples).to.deep.equal([
          ...buckets.map((limit) => finite.filter((value) => value <= limit).length),
          finite.length,
          finite.reduce((sum, value) => sum + value, 0),
          finite.length,
        ]);
        expect(metrics.collect()[1]!.samples[0]!.value).to.equal(values.length - finite.length);
      }),
    );
  });

  it('takes an infinite limit at the end for the one that there is anyway', () => {
    const metrics = Metrics.create();
    metrics.histogram('h', { help, buckets: [1, Infinity] }).observe(2);
    metrics.histogram('h', { help, buckets: [1] }).observe(0);
    expect(valuesOf(metrics)).to.include({ 'h_bucket 1': 1, 'h_bucket +Inf': 2, h_sum: 2 });
  });

  it('measures seconds', () => {
    const metrics = Metrics.create();
    const end = metrics.histogram('h', { help, buckets: [0] }).startTimer();
    const [first, second] = [end(), end()];
    expect(valuesOf(metrics)).to.include({ h_count: 2, h_sum: first + second });
    expect(first).to.be.within(0, second);
  });

  it('refuses buckets that are none, and values that are no numbers', () => {
    const metrics = Metrics.create();
    for (const buckets of [[], [1, 1], [2, 1], [NaN], [-Infinity, 1], [Infinity], [Infinity, 1]]) {
      expect(() => metrics.histogram('h', { help, buckets }), String(buckets)).to.throw(RangeError, 'buckets');
    }
    for (const buckets of [undefined, 5, '12', ['1']]) {
      expect(() => metrics.histogram('h', { help, buckets: buckets as never })).to.throw(TypeError, 'buckets');
    }
    const histogram = metrics.histogram('h', { help, buckets: [1] });
    expect(() => histogram.observe('1' as never)).to.throw(TypeError, 'value must be a number, got "1"');
    expect(valuesOf(metrics)).to.include({ h_count: 0 });
  });
});

describe('names', () => {
  it('are those that Prometheus takes, with the endings that say what a metric is', () => {
    const metrics = Metrics.create();
    const gauge = (name: unknown) => () => metrics.gauge(name as string, { help });
    for (const name of ['', '1a', 'a-b', 'a b', 'ä', 'a\n', 'a_total', 'a_bucket', 'a_sum', 'a_count']) {
      expect(gauge(name), name).to.throw(RangeError, 'name');
    }
    expect(gauge(5)).to.throw(TypeError, 'name must be a string, got 5');
    const counter = (name: string) => () => metrics.counter(name, { help });
    expect(counter('a')).to.throw(RangeError, 'the name of a counter must end in _total, got "a"');
    expect(counter('a_nonfinite_total')).to.throw(RangeError, 'must not end in _nonfinite_total');
    expect(() => metrics.histogram('a_total', { help, buckets: [1] })).to.throw(RangeError, 'must not end in _total');
    expect(metrics.collect()).to.deep.equal([]);
  });

  it('are of one metric each, over all threads', () => {
    const metrics = Metrics.create();
    const other = Metrics.from(metrics.share());
    metrics.gauge('a', { help });
    metrics.histogram('h', { help, buckets: [1, 2] });
    expect(() => other.histogram('a', { help, buckets: [1] })).to.throw(RangeError, 'there is a gauge a already');
    expect(() => other.gauge('a', { help, aggregate: 'max' })).to.throw(
      RangeError,
      'there is a gauge of another kind a',
    );
    expect(() => other.histogram('h', { help, buckets: [1] })).to.throw(
      RangeError,
      'there is a histogram of another kind',
    );
    other.gauge('a', { help, labels: { b: 1 } });
    expect(metrics.collect().map(({ name }) => name)).to.deep.equal(['a', 'h', 'h_nonfinite_total']);
  });

  it('of labels are those that Prometheus takes', () => {
    const metrics = Metrics.create();
    for (const name of ['', '1', 'a-b', '__a', 'a:b', 'le']) {
      expect(() => metrics.gauge('g', { help, labels: { [name]: 1 } }), name).to.throw(RangeError, 'a label must');
      expect(() => metrics.withLabels({ [name]: 1 }), name).to.throw(RangeError, 'a label must');
    }
    for (const labels of [5, null, ['a'], new Map(), { a: null }, { a: true }, { a: {} }]) {
      expect(() => metrics.gauge('g', { help, labels: labels as never })).to.throw(TypeError, 'label');
    }
  });
});

describe('options of metrics', () => {
  it('are numbers in their domains, and known', () => {
    const wrong: [MetricsOptions, string][] = [
      [{ threads: 0 }, 'threads'],
      [{ threads: 1025 }, 'threads'],
      [{ threads: 1.5 }, 'threads'],
      [{ bytesPerThread: 1023 }, 'bytesPerThread'],
      [{ bytesPerThread: 2 ** 24 + 1 }, 'bytesPerThread'],
      [{ bytesPerThread: NaN }, 'bytesPerThread'],
    ];
    for (const [options, name] of wrong) expect(() => Metrics.create(options)).to.throw(RangeError, name);
    expect(() => Metrics.create({ threads: '5' as never })).to.throw(TypeError, 'threads must be a number, got "5"');
    expect(() => Metrics.create({ workers: 5 } as never)).to.throw(TypeError, "there is no 'workers'");
    const metrics = Metrics.create();
    expect(() => metrics.counter('a_total', { help, label: {} } as never)).to.throw(
      TypeError,
      "did you mean 'labels'?",
    );
    expect(() => metrics.counter('a_total', undefined as never)).to.throw(
      TypeError,
      'help must be a string, got undefined',
    );
    expect(() => metrics.gauge('a', { help, aggregate: 'mean' as never })).to.throw(
      RangeError,
      'aggregate must be one of',
    );
  });
});

describe('memory of metrics', () => {
  it('is enough for few threads, and says when there are more', () => {
    const metrics = Metrics.create({ threads: 2 });
    const others = [0, 1].map(() => Metrics.from(metrics.share()));
    others.forEach((other) => other.counter('a_total', { help }).inc());
    expect(() => metrics.counter('a_total', { help })).to.throw(Error, 'all 2 places of these metrics are taken');
    expect(valuesOf(metrics)).to.deep.equal({ a_total: 2 }); // who only reads needs none
  });

  it('of a thread may be full, which changes nothing', () => {
    const metrics = Metrics.create({ bytesPerThread: 1024 });
    const count = (labels: Record<string, number>): void => metrics.counter('a_total', { help, labels }).inc();
    let fitted = 0;
    expect(() => {
      for (; ; fitted++) count({ n: fitted });
    }).to.throw(Error, "a_total: this thread's place is full: metrics need more bytesPerThread, or fewer labels");
    expect(fitted).to.be.within(5, 20);
    expect(metrics.collect()[0]!.samples).to.have.lengthOf(fitted);
    count({ n: 0 });
    expect(valuesOf(metrics)['a_total 0']).to.equal(2);
    Metrics.from(metrics.share()).counter('b_total', { help }).inc();
    expect(valuesOf(metrics)['b_total']).to.equal(1);
  });

  it('is told apart from anything else', () => {
    const { buffer } = Metrics.create().share();
    const from = (handle: unknown) => () => Metrics.from(handle as never);
    const kind = 'gradstep/metrics';
    for (const handle of [undefined, null, 5, {}, { kind: 'gradstep/variable', buffer }]) {
      expect(from(handle)).to.throw(TypeError, "handle must be one of kind 'gradstep/metrics'");
    }
    for (const other of [undefined, 5, new ArrayBuffer(4096), new Float64Array(buffer), {}]) {
      expect(from({ kind, buffer: other })).to.throw(TypeError, "the handle's buffer must be a SharedArrayBuffer");
    }
    for (const bytes of [0, 3, 16, 4096]) {
      const none = new SharedArrayBuffer(bytes);
      expect(from({ kind, buffer: none })).to.throw(TypeError, "the handle's buffer must be one that `Metrics` made");
    }
  });
});
