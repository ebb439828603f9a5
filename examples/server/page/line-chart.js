import uPlot from '/uplot/uPlot.esm.js';
import { create, oncePerFrame, setText } from './dom.js';
import { absent, axisValue } from './format.js';
import { colour, onThemeChange } from './theme.js';

/**
 * @typedef {object} Line
 * @property {string} label
 * @property {string} colour a name of style.css
 * @property {number} [width]
 * @property {number[]} [dash]
 * @property {boolean} [isFilled]
 * @property {boolean} [hasPoints] where there are few
 */

/**
 * @typedef {object} Definition
 * @property {string} title
 * @property {string} unit said with the title, '' for none
 * @property {Line[]} lines
 * @property {(value: number | null | undefined) => string} format of values
 * @property {(value: number) => string} [formatAxis] where it differs
 * @property {boolean} [fromZero] whether the axis always shows 0
 * @property {number} [most] that values can be
 * @property {'step' | 'time'} over what the points are ordered by
 */

const font = '12px system-ui, sans-serif';

/** A figure with lines over steps or time, what they are, and their values: the newest, or those at the pointer. */
export class LineChart {
  #definition;
  #plot;
  #host = create('div', { class: 'plot', role: 'img' });
  /** @type {HTMLElement[]} */
  #values;
  /** @type {uPlot.AlignedData} */
  #data;
  /** Where the part that is shown begins. */
  #first = -Infinity;
  #isLog = false;
  #draw = oncePerFrame(() => this.#drawNow());

  /**
   * @param {HTMLElement} parent
   * @param {Definition} definition
   */
  constructor(parent, definition) {
    this.#definition = definition;
    this.#values = definition.lines.map(() => create('span', { class: 'value' }, absent));
    this.#data = [[], ...definition.lines.map(() => [])];
    parent.append(this.#figure());
    this.#plot = new uPlot(this.#options(), this.#data, this.#host);
    this.#describe();
    new ResizeObserver(() => this.#fit()).observe(this.#host);
    onThemeChange(() => this.#plot.redraw());
  }

  /** @param {(readonly (number | null)[])[]} data the steps or times (in seconds), then the values of each line */
  show(data) {
    this.#data = /** @type {uPlot.AlignedData} */ (/** @type {unknown} */ (data));
    this.#draw();
  }

  /** @param {number} first the step or time that what is shown begins with, -Infinity for all */
  showFrom(first) {
    if (first === this.#first) return;
    this.#first = first;
    this.#draw();
  }

  /** @param {boolean} isLog whether equal distances are equal factors */
  setLog(isLog) {
    if (isLog === this.#isLog) return;
    this.#isLog = isLog;
    this.#plot.destroy();
    this.#plot = new uPlot(this.#options(), this.#data, this.#host);
    this.#fit();
    this.#draw();
  }

  #drawNow() {
    this.#plot.setData(this.#isLog ? withLogarithms(this.#data) : this.#data);
    this.#describe();
    this.#showValues();
  }

  #figure() {
    const { title, unit, lines } = this.#definition;
    const keys = lines.flatMap((line, i) => {
      const swatch = create('span', { class: line.dash ? 'swatch dashed' : 'swatch' });
      swatch.style.setProperty('--swatch', `var(--${line.colour})`);
      // A line alone is what the title says.
      if (lines.length === 1) return [this.#values[i]];
      return [create('span', {}, create('span', { class: 'key' }, swatch, line.label), ' ', this.#values[i])];
    });
    const heading = create('h3', {}, title, ...(unit === '' ? [] : [create('span', { class: 'unit' }, ` ${unit}`)]));
    return create(
      'figure',
      { class: 'card chart' },
      create('figcaption', {}, heading, create('div', { class: 'legend' }, ...keys)),
      this.#host,
    );
  }

  /** @returns {uPlot.Options} */
  #options() {
    const { lines, formatAxis = axisValue, fromZero = false, most = Infinity, over } = this.#definition;
    const axis = {
      font,
      stroke: () => colour('faint'),
      grid: { stroke: () => colour('grid'), width: 1 },
      ticks: { show: false },
    };
    /** @type {(plot: uPlot, min: number | null, max: number | null) => [number, number]} */
    const shown = (plot, min, max) => {
      if (min === null || max === null) return [0, 1];
      // A line needs two points.
      const [last = max, beforeLast = max] = [plot.data[0].at(-1), plot.data[0].at(-2)];
      const first = Math.max(min, Math.min(last, beforeLast, this.#first));
      return [first, max > first ? max : first + 1];
    };
    return {
      width: 300,
      height: 180,
      padding: [8, 20, 0, 0],
      legend: { show: false },
      cursor: {
        drag: { x: false, y: false },
        y: false,
        points: { size: 7 },
        ...(over === 'step' ? { sync: { key: 'steps' } } : {}),
      },
      hooks: { setCursor: [() => this.#showValues()] },
      scales: {
        x: { time: over === 'time', range: shown },
        y: {
          distr: this.#isLog ? 3 : 1,
          range: (_plot, min, max) => {
            if (this.#isLog) return uPlot.rangeLog(min ?? 0.1, max ?? 1, 10, false);
            if (min === null || max === null) return [0, 1];
            const low = fromZero ? Math.min(0, min) : min;
            const room = (max - low || Math.abs(max) || 1) * 0.08;
            return [fromZero && min >= 0 ? 0 : low - room, Math.min(most, max + room)];
          },
        },
      },
      axes: [
        {
          ...axis,
          grid: { show: false },
          size: 26,
          gap: 6,
          ...(over === 'step'
            ? {
                space: 70,
                values: (_plot, splits) =>
                  splits.map((step) => (Number.isInteger(step) ? step.toLocaleString('en-US') : '')),
              }
            : { space: 80, values: timeLabels }),
        },
        {
          ...axis,
          size: 52,
          gap: 6,
          space: 36,
          values: (_plot, splits) => splits.map((value) => (value === null ? '' : formatAxis(value))),
        },
      ],
      series: [
        {},
        ...lines.map((line) => ({
          label: line.label,
          stroke: () => colour(line.colour),
          width: line.width ?? 1.75,
          spanGaps: false,
          points: { show: line.hasPoints ?? false, size: 5, fill: () => colour(line.colour) },
          ...(line.dash === undefined ? {} : { dash: line.dash }),
          ...(line.isFilled ? { fill: () => colour('accent-faint') } : {}),
        })),
      ],
    };
  }

  #fit() {
    const { clientWidth: width, clientHeight: height } = this.#host;
    if (width > 0 && height > 0) this.#plot.setSize({ width, height });
  }

  #showValues() {
    const at = this.#plot.cursor.idx ?? null;
    this.#values.forEach((element, i) => {
      const column = this.#data[i + 1];
      setText(element, this.#definition.format(at === null ? newest(column) : column[at]));
    });
  }

  /** What the picture says, for those who do not see it. */
  #describe() {
    const { title, lines, format, over } = this.#definition;
    const xs = this.#data[0];
    const words = lines.flatMap((line, i) => {
      const values = [...this.#data[i + 1]].filter((value) => typeof value === 'number');
      if (values.length === 0) return [];
      const [low, high] = values.reduce(([a, b], v) => [Math.min(a, v), Math.max(b, v)], [Infinity, -Infinity]);
      return `${line.label}: now ${format(values.at(-1))}, lowest ${format(low)}, highest ${format(high)}.`;
    });
    const range =
      over === 'step' && xs.length > 0
        ? `, steps ${xs[0].toLocaleString('en-US')} to ${xs[xs.length - 1].toLocaleString('en-US')}`
        : '';
    const label = words.length === 0 ? `${title}: nothing yet.` : `${title}${range}. ${words.join(' ')}`;
    this.#host.setAttribute('aria-label', label);
  }
}

/**
 * What has a logarithm.
 * @param {uPlot.AlignedData} data
 * @returns {uPlot.AlignedData}
 */
function withLogarithms([xs, ...columns]) {
  return [xs, ...columns.map((column) => [...column].map((value) => (Number(value) > 0 ? value : null)))];
}

/** @param {ArrayLike<number | null | undefined>} column */
function newest(column) {
  return column.length === 0 ? null : column[column.length - 1];
}

/** @type {uPlot.Axis.DynamicValues} */
function timeLabels(_plot, splits, _axis, _space, increment) {
  const options = /** @type {const} */ ({ hour: '2-digit', minute: '2-digit', hour12: false });
  const format = new Intl.DateTimeFormat('en-US', increment < 60 ? { ...options, second: '2-digit' } : options);
  return splits.map((seconds) => format.format(1000 * seconds));
}
