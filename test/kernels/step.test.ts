import { expect } from 'chai';
import { Worker } from 'node:worker_threads';

import { formatNumber, formats, native } from '../../lib/native';
import { dtypes } from '../../lib/tensor/dtype';

const sgd = native.rules.find(({ name }) => name === 'gradientDescent')!;
const momentum = native.rules.find(({ name }) => name === 'momentum')!;
const lars = native.rules.find(({ name }) => name === 'lars')!;

type Floats = Float32Array | Float64Array;

interface Item {
  readonly group?: number;
  readonly param: Floats;
  readonly gradient: Floats;
  readonly slots?: readonly Floats[];
  readonly rowElements?: number;
  readonly factor?: number;
  readonly rows?: Int32Array;
}

const formatOf = (array: Floats): number => formatNumber[array instanceof Float64Array ? 'float64' : 'float32'];
const column = (array: Floats): number[] => [formatOf(array), array.length > 0 ? native.addressOf(array) : 0];

function row({ group = 0, param, gradient, slots = [], rowElements = 1, factor = 1 }: Item): number[] {
  const start = [group, param.length, rowElements, factor];
  return [...start, ...column(gradient), gradient.length, ...column(param), ...slots.flatMap(column)];
}

function table(rule: { id: number }, hyper: number[][], items: readonly Item[], allRows = 0): Float64Array {
  return Float64Array.from([rule.id, allRows, hyper.length, items.length, ...hyper.flat(), ...items.flatMap(row)]);
}

function step(rule: { id: number }, hyper: number[][], items: readonly Item[], allRows = 0): void {
  const rows = items.map(({ rows }) => rows);
  native.runStep(table(rule, hyper, items, allRows), rows.some((indices) => indices !== undefined) ? rows : undefined);
}

type Rows = readonly (Int32Array | undefined)[];
type Refusal = [name: string, table: Float64Array, rows?: Rows];

describe('runStep', () => {
  it('steps variables of both dtypes, each with the hyperparameters of its group', () => {
    const [a, b, c] = [new Float32Array([1, 2]), new Float64Array([3]), new Float32Array([4])];
    step(
      sgd,
      [[1], [10]],
      [
        { param: a, gradient: new Float32Array([1, 1]), factor: 0.5 },
        { param: b, gradient: new Float64Array([1]), group: 1 },
        { param: c, gradient: new Float32Array([1]), group: 1 },
        { param: new Float32Array(0), gradient: new Float32Array(0), group: 1 },
      ],
    );
    expect([...a, ...b, ...c]).to.deep.equal([0.5, 1.5, -7, -6]);
  });

  it('sums rows that repeat, and with allRows decays the slots of all others', () => {
    for (const allRows of [0, 1]) {
      const param = new Float32Array(8);
      const slot = new Float32Array(8).fill(2);
      const gradient = new Float32Array([1, 1, 10, 10, 100, 100]);
      const rows = Int32Array.of(2, 0, 2);
      step(momentum, [[1, 0.5]], [{ param, gradient, slots: [slot], rowElements: 2, rows }], allRows);
      const other = allRows === 1 ? 1 : 2;
      expect([...slot]).to.deep.equal([11, 11, other, other, 102, 102, other, other]);
    }
  });

  it('gives a rule that measures variables the whole gradient', () => {
    const sparse = { param: new Float64Array([3, 4, 0, 0]), slots: [new Float64Array(4)] };
    const dense = { param: sparse.param.slice(), slots: [new Float64Array(4)] };
    const hyper = [[1, 0.9, 0.1, 0.001, 0]];
    step(lars, hyper, [{ ...sparse, gradient: new Float64Array([1, 2]), rowElements: 2, rows: Int32Array.of(1) }]);
    step(lars, hyper, [{ ...dense, gradient: new Float64Array([0, 0, 1, 2]) }]);
    expect([...sparse.param]).to.deep.equal([...dense.param]);
  });

  it('refuses what does not fit, with everything as it was', () => {
    const first = { param: new Float32Array(4), gradient: new Float32Array(4).fill(1) };
    const second = { param: new Float32Array(4), gradient: new Float32Array(4).fill(1), rowElements: 2 };
    const good = table(sgd, [[1]], [first, second]);
    const changed = (at: number, value: number): Float64Array => good.map((x, i) => (i === at ? value : x));
    const [header, size] = [5, 9];
    const refusals: Refusal[] = [
      ['no rule', changed(0, 1000)],
      ['half a rule', changed(0, 0.5)],
      ['allRows', changed(1, 2)],
      ['groups', changed(2, 2)],
      ['items', changed(3, 3)],
      ['more items than numbers', changed(3, 2 ** 53 - 1)],
      ['no count', changed(3, NaN)],
      ['short', good.slice(0, -1)],
      ['empty', new Float64Array(0)],
      ['group', changed(header + size, 1)],
      ['length', changed(header + size + 1, -4)],
      ['other length', changed(header + size + 1, 5)],
      ['long', changed(header + size + 1, Infinity)],
      ['rowElements', changed(header + size + 2, NaN), [undefined, Int32Array.of(0, 1)]],
      ['half a format', changed(header + size + 4, 0.5)],
      ['no format', changed(header + size + 4, native.formats.length)],
      ['no number of a format', changed(header + size + 7, NaN)],
      ['a negative format', changed(header + size + 7, -1)],
      ['gradient address', changed(header + size + 5, -1)],
      ['no gradient', changed(header + size + 5, 0)],
      ['gradient length', changed(header + size + 6, 3)],
      ['no variable', changed(header + size + 8, 0)],
      ['rows', good, [undefined, Int32Array.of(0)]],
      ['rows of another count', good, [undefined]],
      ['overflowing rows', changed(header + size + 2, 2 ** 53 - 1), [undefined, new Int32Array(4096)]],
      ['index', good, [undefined, Int32Array.of(0, 2)]],
      ['negative index', good, [undefined, Int32Array.of(-1, 0)]],
    ];
    for (const [name, numbers, rows] of refusals) {
      expect(() => native.runStep(numbers, rows), name).to.throw(RangeError);
    }
    expect(() => native.runStep(good, [undefined, Int32Array.of(0, 2)])).to.throw(
      RangeError,
      'gradient 1 has indices[1] = 2, expected 0 to 2 (exclusive)',
    );
    expect(() => native.runStep(good, [undefined, [0, 1] as unknown as Int32Array])).to.throw(TypeError, 'indices');
    expect(() => native.runStep(new Float32Array(good) as unknown as Float64Array)).to.throw(TypeError, 'table');
    expect([...first.param, ...second.param]).to.deep.equal(new Array(8).fill(0));
  });

  it('refuses formats that no rule has a kernel for together, with everything as it was', () => {
    const [f32, f64] = [(): Floats => new Float32Array(8).fill(1), (): Floats => new Float64Array(8).fill(1)];
    const good = { param: f32(), gradient: f32(), slots: [f32()] };
    const layout = new ArrayBuffer(native.stepBytes(momentum.id, 1, 2));
    const cases: [string, Item, string][] = [
      ['gradient', { param: f32(), gradient: f64(), slots: [f32()] }, 'parameter in float32, a gradient in float64'],
      ['parameter', { param: f64(), gradient: f32(), slots: [f32()] }, 'parameter in float64, a gradient in float32'],
      ['slot', { param: f32(), gradient: f32(), slots: [f64()] }, 'a gradient in float32 and slots in float64'],
      [
        'of none',
        { param: new Float32Array(0), gradient: new Float64Array(0), slots: [new Float32Array(0)] },
        'float64',
      ],
    ];
    for (const [name, bad, message] of cases) {
      const hyper = [[1, 0.5]];
      for (const rows of [undefined, Int32Array.of(1, 0, 1, 2, 3, 4, 5, 6)]) {
        const items = [good, { ...bad, ...(rows && { rows }) }];
        expect(() => step(momentum, hyper, items), name).to.throw(TypeError, message);
      }
      const numbers = table(momentum, hyper, [good, bad]);
      expect(() => native.layOutStep(layout, numbers), name).to.throw(TypeError, `variable 1 of a step has a`);
      expect(() => native.runLaidOutStep(layout), name).to.throw(TypeError, 'laid out');
      const after = [good, bad].flatMap(({ param, slots = [] }) => [param, ...slots].flatMap((array) => [...array]));
      expect(new Set(after), name).to.deep.equal(new Set([1]));
    }
  });

  it('knows the formats by the names that TypeScript has for them, and every dtype is one', () => {
    expect(native.formats).to.deep.equal([...formats]);
    expect(formats).to.include.members([...dtypes]);
    expect(formats.map((name) => native.formats[formatNumber[name]])).to.deep.equal([...formats]);
  });

  it('reads indices once, while another thread writes them', async () => {
    const shared = new SharedArrayBuffer(4 * 64);
    const code = `const { workerData, parentPort } = require('node:worker_threads');
      const indices = new Int32Array(workerData);
      parentPort.postMessage('ready');
      for (;;) { indices.fill(0x7fffffff); indices.fill(1); }`;
    const worker = new Worker(code, { eval: true, workerData: shared });
    await new Promise((resolve) => worker.once('message', resolve));
    const param = new Float32Array(256 * 4);
    const [gradient, rows] = [new Float32Array(64 * 4).fill(1), new Int32Array(shared)];
    const out = new Float32Array(64 * 4);
    const logits = new Float32Array(64 * 4);
    const [loss, backprop] = [new Float32Array(64), new Float32Array(64 * 4)];
    const tries = [
      () => step(sgd, [[1]], [{ param, gradient, rowElements: 4, rows }]),
      () => native.gather(out, param, rows, 256, 4),
      () => native.scatterAdd(param, gradient, rows, 256, 4, 1),
      () => native.sparseSoftmaxCrossEntropy(loss, backprop, rows, logits, 4),
    ];
    let refused = 0;
    for (const end = Date.now() + 500; Date.now() < end;) {
      for (const attempt of tries) {
        try {
          attempt();
        } catch (error) {
          expect(error).to.be.instanceOf(RangeError);
          refused++;
        }
      }
    }
    await worker.terminate();
    expect(refused).to.be.greaterThan(0);
    expect(param.subarray(8).every((x) => x === 0)).to.equal(true);
  });
});
