import { expect } from 'chai';
import fc from 'fast-check';
import { Metrics } from 'gradstep/metrics';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { parsePrometheusText, type ParsedFamily } from '../support/prometheus-text';

const buckets = [0.005, 0.5, 10];

describe('the text of metrics', () => {
  it('is that of the format, byte for byte', () => {
    const metrics = Metrics.create();
    metrics
      .counter('requests_total', { help: 'All of\nthem, \\ too.', labels: { path: 'a"b\\c\nd', code: 200 } })
      .inc(3);
    metrics.gauge('temperature_celsius', { help: 'How warm it is.' }).set(-1e-7);
    const seconds = metrics.histogram('wait_seconds', { help: 'Waiting.', buckets });
    for (const value of [0.25, 0.005, 100, NaN]) seconds.observe(value);
    expect(metrics.text()).to.equal(
      [
        '# HELP requests_total All of\\nthem, \\\\ too.',
        '# TYPE requests_total counter',
        'requests_total{code="200",path="a\\"b\\\\c\\nd"} 3',
        '# HELP temperature_celsius How warm it is.',
        '# TYPE temperature_celsius gauge',
        'temperature_celsius -1e-7',
        '# HELP wait_seconds Waiting.',
        '# TYPE wait_seconds histogram',
        'wait_seconds_bucket{le="0.005"} 1',
        'wait_seconds_bucket{le="0.5"} 2',
        'wait_seconds_bucket{le="10"} 2',
        'wait_seconds_bucket{le="+Inf"} 3',
        'wait_seconds_sum 100.255',
        'wait_seconds_count 3',
        '# HELP wait_seconds_nonfinite_total Values of wait_seconds that are NaN or infinite, which it leaves out.',
        '# TYPE wait_seconds_nonfinite_total counter',
        'wait_seconds_nonfinite_total 1',
        '',
      ].join('\n'),
    );
    expect(metrics.contentType).to.equal('text/plain; version=0.0.4; charset=utf-8');
  });

  it('is empty where nothing has been defined', () => {
    expect(Metrics.create().text()).to.equal('');
  });

  it('has NaN and infinities of gauges as the format has them', () => {
    const metrics = Metrics.create();
    for (const [name, value] of Object.entries({ a: NaN, b: Infinity, c: -Infinity, d: -0 })) {
      metrics.gauge(name, { help: '' }).set(value);
    }
    const lines = metrics.text().split('\n');
    expect(lines.filter((line) => /^[a-d] /.test(line))).to.deep.equal(['a NaN', 'b +Inf', 'c -Inf', 'd 0']);
  });

  it('says the same when it is read back, whatever helps and labels are', () => {
    const label = fc.stringMatching(/^[a-z_A-Z][a-z_A-Z0-9]{0,8}$/).filter((name) => !/^__|^le$/.test(name));
    const value = fc.string({ unit: 'binary', minLength: 1 });
    const labels = fc.dictionary(label, value, { maxKeys: 4 });
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), labels, fc.double(), (help, labels, set) => {
        const metrics = Metrics.create({ threads: 1 });
        metrics.gauge('g', { help, labels }).set(set);
        metrics.histogram('h', { help, labels, buckets }).observe(set);
        const [gauge, histogram] = parsePrometheusText(metrics.text()) as [ParsedFamily, ParsedFamily];
        expect(gauge.help).to.equal(help);
        expect(gauge.samples[0]!.labels).to.deep.equal({ ...labels });
        expect(gauge.samples[0]!.value).to.be.deep.equal(set === 0 ? 0 : set);
        expect(histogram.samples.at(-1)!.value).to.equal(Number.isFinite(set) ? 1 : 0);
      }),
    );
  });

  it('has what cannot be written in UTF-8 as what a decoder makes of it', () => {
    const metrics = Metrics.create();
    metrics.counter('a_total', { help: '', labels: { b: 'x\ud800y' } }).inc();
    expect(metrics.text()).to.include('a_total{b="x\ufffdy"} 1');
  });

  it('leaves out labels without a value, which are none to a server', () => {
    const metrics = Metrics.create();
    metrics.counter('a_total', { help: '', labels: { b: '' } }).inc();
    metrics.counter('a_total', { help: '' }).inc();
    expect(metrics.text().split('\n').at(-2)).to.equal('a_total 2');
  });
});

/** The same metrics, and observations of them, here and by prom-client. */
function both(values: readonly number[]) {
  const metrics = Metrics.create();
  const registers = [new Registry()];
  const help = 'A \\ back\nslash.';
  const labels = { path: 'a"b\\c\nd', code: 200 };
  const labelNames = ['path', 'code'];
  const ours = [
    metrics.counter('c_total', { help, labels }),
    metrics.gauge('g', { help }),
    metrics.histogram('h_seconds', { help, labels, buckets }),
  ] as const;
  const theirs = [
    new Counter({ name: 'c_total', help, labelNames, registers }).labels(labels),
    new Gauge({ name: 'g', help, registers }),
    new Histogram({ name: 'h_seconds', help, labelNames, buckets, registers }).labels(labels),
  ] as const;
  for (const [counter, gauge, histogram] of [ours, theirs]) {
    for (const value of values) {
      counter.inc(Math.abs(value));
      gauge.set(value);
      histogram.observe(value);
    }
  }
  return { metrics, registry: registers[0]! };
}

/** Series by their names and labels, in any order. */
function seriesOf(text: string): Record<string, number> {
  const samples = parsePrometheusText(text).flatMap(({ samples }) => samples);
  return Object.fromEntries(
    samples.map(({ name, labels, value }) => [name + JSON.stringify(Object.entries(labels).sort()), value]),
  );
}

const without = (text: string, name: string): string =>
  text
    .split('\n')
    .filter((line) => line !== '' && !line.includes(name))
    .map((line) => `${line}\n`)
    .join('');

describe('prom-client', () => {
  const finite = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e100, max: 1e100 }), {
    minLength: 1,
  });

  it('counts the same, and says the same but for the order', async () => {
    await fc.assert(
      fc.asyncProperty(finite, async (values) => {
        const { metrics, registry } = both(values);
        const ours = without(metrics.text(), '_nonfinite_total');
        const theirs = await registry.metrics();
        expect(seriesOf(ours)).to.deep.equal(seriesOf(theirs));
        const about = (text: string): string[] => text.split('\n').filter((line) => line.startsWith('#'));
        expect(about(ours)).to.have.members(about(theirs));
      }),
    );
  });

  it('gives the very text from a registry that metrics were put into', async () => {
    await fc.assert(
      fc.asyncProperty(finite, async (values) => {
        const { metrics } = both(values);
        const registry = new Registry();
        metrics.collectInto(registry);
        expect(without(await registry.metrics(), '!')).to.equal(metrics.text());
      }),
    );
  });

  it('reads them anew each time, with what was defined meanwhile once it has been read once more', async () => {
    const metrics = Metrics.create();
    const registry = new Registry();
    const a = metrics.counter('a_total', { help: '' });
    metrics.collectInto(registry);
    a.inc();
    expect(await registry.getSingleMetricAsString('a_total')).to.match(/^a_total 1$/m);
    a.inc();
    metrics.counter('b_total', { help: '' }).inc();
    expect(await registry.metrics()).to.match(/^a_total 2$/m);
    expect(await registry.metrics()).to.match(/^b_total 1$/m);
  });

  it('keeps its own metrics, default labels, merging and clearing beside ours', async () => {
    const metrics = Metrics.create();
    const registry = new Registry();
    new Counter({ name: 'theirs_total', help: 'x', registers: [registry] }).inc();
    metrics.counter('ours_total', { help: '' }).inc();
    metrics.collectInto(registry);
    registry.setDefaultLabels({ host: 'a' });
    const text = await Registry.merge([registry]).metrics();
    expect(text)
      .to.match(/^ours_total 1$/m)
      .and.to.match(/^theirs_total 1$/m);
    expect(await registry.metrics()).to.match(/^ours_total\{host="a"\} 1$/m);
    registry.resetMetrics(); // threads' counts are theirs to write
    expect(await registry.metrics()).to.match(/^ours_total\{host="a"\} 1$/m);
    registry.clear();
    expect(await registry.metrics()).not.to.include('ours_total');
  });

  it('gets OpenMetrics of them too', async () => {
    const { metrics } = both([1]);
    const registry = new Registry<typeof Registry.OPENMETRICS_CONTENT_TYPE>();
    registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    metrics.collectInto(registry);
    const text = await registry.metrics();
    expect(text)
      .to.match(/^# TYPE c counter$/m)
      .and.to.match(/^c_total\{/m)
      .and.to.match(/# EOF\n?$/);
  });

  it('is left as it was by metrics that it has others of', () => {
    const metrics = Metrics.create();
    const registry = new Registry();
    new Counter({ name: 'b_total', help: 'x', registers: [registry] });
    for (const name of ['a_total', 'b_total']) metrics.counter(name, { help: '' });
    expect(() => metrics.collectInto(registry)).to.throw(Error, 'the registry has a metric b_total already');
    expect(registry.getMetricsAsArray()).to.have.lengthOf(1);
  });

  it('is what is asked for', () => {
    for (const other of [undefined, null, {}, 'registry', new Map()]) {
      expect(() => Metrics.create().collectInto(other as never)).to.throw(
        TypeError,
        'registry must be one of prom-client',
      );
    }
  });
});

describe('the reader of the text format', () => {
  it('refuses what is not of it', () => {
    const typed = (text: string, type = 'counter'): string => `# TYPE a ${type}\n${text}\n`;
    const wrong = [
      'a 1',
      '# HELP a\n',
      '# TYPE a number\n',
      'a 1\n',
      typed('a'),
      typed('a 1\na 2'),
      typed('a nan'),
      typed('a 0x10'),
      typed('b 1'),
      typed('a{} 1'),
      typed('a{b="\\x"} 1'),
      typed('a{b="1",b="2"} 1'),
      typed('a{b=1} 1'),
      typed('a{1b="1"} 1'),
      typed('a{__b="1"} 1'),
      typed('a_bucket{le="+Inf"} 1\na_sum 1\na_count 2', 'histogram'),
      typed('a_bucket{le="1"} 1\na_sum 1\na_count 1', 'histogram'),
      typed('a_bucket{le="1"} 2\na_bucket{le="+Inf"} 1\na_sum 1\na_count 1', 'histogram'),
      typed('a_bucket{le="+Inf"} 1\na_count 1', 'histogram'),
    ];
    for (const text of wrong) expect(() => parsePrometheusText(text), text).to.throw(Error);
  });
});
