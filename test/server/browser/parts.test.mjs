import { expect } from 'chai';
import fc from 'fast-check';
import { bulk, commonRange, densities, median } from '../../../examples/server/page/density.js';
import { side, toDigit } from '../../../examples/server/page/digit.js';
import { bytes, decimal, duration, milliseconds, percent, uptime } from '../../../examples/server/page/format.js';
import { Points, smooth, thin } from '../../../examples/server/page/points.js';

describe('the points of the page', () => {
  it('stay in order, and no more than there may be', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 500 }), { maxLength: 500 }), (steps) => {
        const points = new Points(['step', 'loss'], 32);
        for (const step of steps) points.add({ step, loss: step / 2 });
        const column = points.column('step');
        expect(column.length).to.be.at.most(32);
        expect(column).to.deep.equal([...new Set(column)].sort((a, b) => a - b));
        expect(points.column('loss')).to.deep.equal(column.map((step) => step / 2));
        expect(points.last('step')).to.equal(steps.at(-1) ?? null);
      }),
    );
  });

  it('keep the whole run, finer where it is recent', () => {
    const points = new Points(['step'], 100);
    for (let step = 0; step < 10_000; step++) points.add({ step });
    const steps = points.column('step');
    expect(steps[0]).to.equal(0);
    expect(steps.slice(-20)).to.deep.equal(Array.from({ length: 20 }, (_, i) => 9980 + i));
    const gaps = steps.slice(1).map((step, i) => step - steps[i]);
    expect(gaps[0]).to.be.greaterThan(gaps.at(-1));
  });

  it('take null and nothing for numbers that are not there', () => {
    const points = new Points(['step', 'loss']);
    points.add({ step: 1 });
    points.add({ step: Number.NaN, loss: 3 });
    points.add({ step: 2, loss: null });
    expect(points.column('loss')).to.deep.equal([null, null]);
  });

  it('are thinned from their older part', () => {
    expect(thin([0, 1, 2, 3, 4, 5, 6, 7])).to.deep.equal([0, 2, 4, 6, 7]);
  });

  it('are smoothed over gaps', () => {
    expect(smooth([4, null, 2], 0.5)).to.deep.equal([4, null, 3]);
  });
});

describe('the densities of the page', () => {
  const histogram = fc
    .tuple(
      fc.array(fc.double({ min: 0.01, max: 3, noNaN: true }), { minLength: 1, maxLength: 20 }),
      fc.infiniteStream(fc.nat(50)),
    )
    .map(([widths, counts]) => {
      const limits = [-5];
      for (const width of widths) limits.push(limits.at(-1) + width);
      return { limits, counts: widths.map(() => counts.next().value) };
    });

  const isWithin = ({ limits, counts }, [low, high]) =>
    counts.reduce((sum, count, i) => sum + (limits[i] >= low && limits[i + 1] <= high ? count : 0), 0);
  const totalOf = ({ counts }) => counts.reduce((sum, count) => sum + count, 0);

  it('are at most 1, within what is shown, and 1 where it is densest', () => {
    fc.assert(
      fc.property(histogram, fc.double({ min: -5, max: 0, noNaN: true }), (one, low) => {
        const bars = densities(one, [low, 3]);
        for (const { from, to, density } of bars) {
          expect(from).to.be.at.least(low);
          expect(to).to.be.within(from, 3);
          expect(density).to.be.within(0, 1);
        }
        if (bars.length > 0) expect(Math.max(...bars.map(({ density }) => density))).to.equal(1);
      }),
    );
  });

  it('have nearly all between the limits that are shown', () => {
    fc.assert(
      fc.property(histogram, (one) => {
        const range = bulk(one);
        if (range === null) expect(totalOf(one)).to.equal(0);
        else expect(isWithin(one, range)).to.be.at.least(0.99 * totalOf(one));
      }),
    );
  });

  it('take values that are all one', () => {
    const zeros = { limits: [0, 0], counts: [5] };
    expect(commonRange([zeros])).to.deep.equal([-1, 1]);
    expect(densities(zeros, [-1, 1])).to.deep.equal([{ from: -0.005, to: 0.005, density: 1 }]);
    expect(densities({ limits: [0, 1], counts: [0] }, [-1, 1])).to.deep.equal([]);
  });

  it('find the middle', () => {
    expect(median({ limits: [0, 1, 2], counts: [1, 3] })).to.be.closeTo(4 / 3, 1e-12);
    expect(median({ limits: [0, 1], counts: [0] })).to.equal(0);
  });
});

describe('the digits that are drawn on the page', () => {
  const drawing = (width, height, left, top, right, bottom) =>
    Uint8Array.from({ length: width * height }, (_, i) => {
      const [x, y] = [i % width, Math.floor(i / width)];
      return x >= left && x < right && y >= top && y < bottom ? 255 : 0;
    });
  const rowsOf = (digit) => Array.from({ length: side }, (_, row) => digit.slice(row * side, (row + 1) * side));

  it('are none where there is no ink', () => {
    expect(toDigit(new Uint8Array(100), 10, 10)).to.equal(null);
  });

  it('are 20 pixels long and in the middle, wherever they are drawn and however large', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 80 }),
        fc.integer({ min: 0, max: 80 }),
        fc.integer({ min: 40, max: 120 }),
        (x, y, size) => {
          const digit = toDigit(drawing(200, 200, x, y, x + size, y + size), 200, 200);
          expect(digit).to.have.length(side * side);
          expect(Math.min(...digit)).to.be.at.least(0);
          expect(Math.max(...digit)).to.be.at.most(1);
          const rows = rowsOf(digit).map((row) => row.reduce((a, b) => a + b));
          const inked = rows.flatMap((sum, row) => (sum > 0.5 ? [row] : []));
          expect(inked.length).to.be.within(19, 22);
          expect((inked[0] + inked.at(-1) + 1) / 2).to.be.closeTo(side / 2, 1);
        },
      ),
    );
  });
});

describe('the numbers of the page', () => {
  it('are as short as they can be', () => {
    expect([0, 1, 12.345, 0.01234, 0.00001234, 123.456, 123456].map(decimal)).to.deep.equal([
      '0',
      '1.000',
      '12.35',
      '0.0123',
      '1.2e-5',
      '123.5',
      '123K',
    ]);
    expect([null, undefined, Number.NaN].map(decimal)).to.deep.equal(['–', '–', '–']);
  });

  it('have units', () => {
    expect([0, 999, 2_442_512, 123_456_789].map(bytes)).to.deep.equal(['0 B', '999 B', '2.4 MB', '123 MB']);
    expect([0.042, 1.25].map(duration)).to.deep.equal(['42 ms', '1.3 s']);
    expect([59, 61, 3725].map(uptime)).to.deep.equal(['59 s', '1 min', '1 h 2 min']);
    expect(percent(0.98765)).to.equal('98.77 %');
    expect(milliseconds(0.123)).to.equal('0.12 ms');
  });
});
