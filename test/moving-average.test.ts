import { expect } from 'chai';
import * as fc from 'fast-check';
import {
  assignMovingAverage,
  createGlobalStep,
  ExponentialMovingAverage,
  tensor,
  variable,
  weightedMovingAverage,
  type Averaged,
  type Variable,
} from 'gradstep';
import { native } from '../lib/native';
import { dtypes, expectSameEverywhere, lengths, random } from './support/parity';

const finite = fc.double({ min: -1e6, max: 1e6, noNaN: true });

describe('the native update of averages', () => {
  for (const [dtype, make] of dtypes) {
    it(`is the same to the last bit everywhere, specials included (${dtype})`, () => {
      for (const withSpecials of [false, true]) {
        const averages = lengths.map((n, i) => random(make, n, i, withSpecials));
        const values = lengths.map((n, i) => random(make, n, 100 + i, withSpecials));
        expectSameEverywhere('a moving average', () => {
          const out = averages.map((average) => average.slice());
          native.moveToward(out, values, 0.001);
          return out;
        });
      }
    });

    it(`rounds average - (average - value) * rate once at most per operation (${dtype})`, () => {
      const [average, value] = [random(make, 1000, 1), random(make, 1000, 2)];
      const out = average.slice();
      native.moveToward([out], [value], 0.25);
      const epsilon = dtype === 'float32' ? 2 ** -23 : 2 ** -52;
      out.forEach((x, i) => {
        const expected = average[i]! - (average[i]! - value[i]!) * 0.25;
        expect(x).to.be.closeTo(expected, 2 * epsilon * (Math.abs(average[i]!) + Math.abs(value[i]!)));
      });
    });
  }

  it('leaves an average that is its value exactly as it is', () => {
    const value = random((n) => new Float32Array(n), 1000, 3);
    const average = value.slice();
    native.moveToward([average], [value], 0.1);
    expect(average).to.deep.equal(value);
  });

  it('refuses lists that do not fit', () => {
    const move = (averages: Float32Array[], values: (Float32Array | Float64Array)[]) => () =>
      native.moveToward(averages, values, 0.5);
    expect(move([new Float32Array(2)], [new Float32Array(1)])).to.throw(RangeError, 'as long as');
    expect(move([new Float32Array(2)], [])).to.throw(RangeError, 'as many values');
    expect(move([new Float32Array(2)], [new Float64Array(2)])).to.throw('one dtype');
  });
});

describe('ExponentialMovingAverage', () => {
  it('starts from the value of the variable and keeps to its own memory', () => {
    const v = variable([1, 2]);
    const averages = new ExponentialMovingAverage(0.5);
    expect(averages.average(v)).to.equal(null);
    averages.apply([v]);
    const average = averages.average(v)!;
    const memory = average.data;
    v.assign([3, 4]);
    averages.apply([v]);
    expect(averages.average(v)).to.equal(average);
    expect(average.data).to.equal(memory);
    expect(average.toArray()).to.deep.equal([2, 3]);
    expect(v.toArray()).to.deep.equal([3, 4]);
    expect(average.trainable).to.equal(false);
  });

  it('lies between the values it has seen', () => {
    fc.assert(
      fc.property(
        fc.array(finite, { minLength: 1, maxLength: 20 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (values, decay) => {
          const v = variable([values[0]!], { dtype: 'float64' });
          const averages = new ExponentialMovingAverage(decay);
          for (const value of values) averages.apply([v.assign([value])]);
          const slack = 1e-9 * Math.max(1, ...values.map(Math.abs));
          expect(averages.average(v)!.item()).to.be.within(Math.min(...values) - slack, Math.max(...values) + slack);
        },
      ),
    );
  });

  it('with numUpdates follows its variables closely while training is young', () => {
    const globalStep = createGlobalStep();
    const averages = new ExponentialMovingAverage(0.999, { numUpdates: globalStep });
    const v = variable([0], { dtype: 'float64' });
    averages.apply([v]);
    v.assign([1]);
    averages.apply([v]); // d = 1 / 10
    expect(averages.average(v)!.item()).to.be.closeTo(0.9, 1e-15);
    globalStep.value = 1e9; // d = 0.999
    averages.apply([v]);
    expect(averages.average(v)!.item()).to.be.closeTo(0.9 + 0.1 * 0.001, 1e-15);
  });

  it('takes values of a name, another tensor each time, from 0 or with zeroDebias from the first value', () => {
    for (const [zeroDebias, expected] of [
      [false, 3],
      [true, 4],
    ] as const) {
      // prettier-ignore
      const averages = new ExponentialMovingAverage(0.25, { zeroDebias });
      averages.apply([['loss', tensor(4)]]);
      expect(averages.average('loss')!.toArray()).to.equal(expected);
      averages.apply([['loss', tensor(4)]]);
      expect(averages.average('loss')!.toArray()).to.equal(zeroDebias ? 4 : 3.75);
    }
  });

  it('with zeroDebias leaves averages of variables alone: they start from their value', () => {
    const v = variable([8]);
    const averages = new ExponentialMovingAverage(0.5, { zeroDebias: true });
    averages.apply([v]);
    averages.apply([v.assign([4])]);
    expect(averages.average(v)!.item()).to.equal(6);
  });

  it('names averages and tells where to restore variables from', () => {
    const [a, b] = [variable([1], { name: 'a' }), variable([2], { name: 'b' })];
    const averages = new ExponentialMovingAverage(0.9, { name: 'foo' });
    expect(averages.averageName(a)).to.equal('a/foo');
    expect(averages.averageName('loss')).to.equal('loss/foo');
    averages.apply([a]);
    expect(averages.average(a)!.name).to.equal('a/foo');
    expect([...averages.variablesToRestore()]).to.deep.equal([['a/foo', a]]);
    expect([...averages.variablesToRestore([a], [a, b])]).to.deep.equal([['a/foo', a], ['b', b]]); // prettier-ignore
    const double = variable([3], { name: 'a' });
    expect(() => averages.variablesToRestore([a, double])).to.throw(Error, "restored from 'a/foo'");
  });

  it('changes nothing when it throws', () => {
    const [a, b] = [variable([1]), variable([2])];
    const averages = new ExponentialMovingAverage(0.5);
    averages.apply([a, ['loss', tensor([1])]]);
    a.assign([3]);
    const bad: [unknown[], string][] = [
      [[a, a], 'occurs twice'],
      [[a, 'x'], 'values must hold Variables and [name, Tensor] pairs'],
      [[a, tensor([1])], 'values must hold Variables and [name, Tensor] pairs'],
      [[a, b, ['loss', tensor([1, 2])]], "value of 'loss' has shape [2], expected [1]"],
      [[a, b, ['loss', tensor([1], [1], 'float64')]], "value of 'loss' is float64, expected float32"],
    ];
    for (const [values, message] of bad) expect(() => averages.apply(values as Averaged[])).to.throw(message);
    expect(() => averages.apply(a as unknown as Variable[])).to.throw(TypeError, 'values must be an iterable');
    expect(averages.average(a)!.item()).to.equal(1);
    expect(averages.average(b)).to.equal(null);
  });

  it('refuses options by name', () => {
    const make = (decay: unknown, options?: object) => () => new ExponentialMovingAverage(decay as number, options);
    expect(make(1.5)).to.throw(RangeError, 'decay must be in [0, 1], got 1.5');
    expect(make(undefined)).to.throw(TypeError, 'decay is required');
    expect(make(0.5, { numUpdates: 'x' })).to.throw(
      TypeError,
      'numUpdates must be a GlobalStep, a number or a function',
    );
    expect(make(0.5, { zeroDebias: 1 })).to.throw(TypeError, 'zeroDebias must be a boolean');
    expect(make(0.5, { name: '' })).to.throw(RangeError, 'name must not be empty');
  });
});

describe('assignMovingAverage', () => {
  it('is the value after the first call, whatever the variable was', () => {
    const v = variable([7, 7], { dtype: 'float64' });
    expect(assignMovingAverage(v, new Float64Array([1, 2]), 0.9)).to.equal(v);
    expect(v.data[0]).to.be.closeTo(1, 1e-15);
    expect(v.data[1]).to.be.closeTo(2, 1e-15);
  });

  it('refuses a value of another shape', () => {
    const v = variable([7, 7]);
    expect(() => assignMovingAverage(v, tensor([1]), 0.9)).to.throw(RangeError, 'value has shape [1], expected [2]');
    expect(() => assignMovingAverage(v, tensor([1, 2]), 2)).to.throw(RangeError, 'decay must be in [0, 1]');
    expect(v.toArray()).to.deep.equal([7, 7]);
  });
});

describe('weightedMovingAverage', () => {
  it('of equal weights is the average made up for its start', () => {
    const values = [3, 5, 4];
    let i = 0;
    const average = weightedMovingAverage(() => values[i]!, 0.5, 2);
    const v = variable(0, { dtype: 'float64' });
    for (; i < values.length; i++) {
      assignMovingAverage(v, tensor(values[i]!, [], 'float64'), 0.5);
      expect(average().item()).to.be.closeTo(v.item(), 1e-14);
    }
  });
});
