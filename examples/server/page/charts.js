import { LineChart } from './line-chart.js';
import { compact, decimal, milliseconds, percent } from './format.js';
import { Points, smooth } from './points.js';

/** @import { Accuracy, Point, Status } from './contract' */

/** All lines over steps and time, and the points that they are made of. */
export class Charts {
  #points = new Points(['step', 'loss', 'gradientNorm', 'clipNorm', 'learningRate', 'examplesPerSecond', 'time']);
  #accuracies = new Points(['step', 'accuracy'], 1000);
  #delays = new Points(['time', 'p50', 'p99'], 900);

  /** @param {HTMLElement} parent */
  constructor(parent) {
    this.loss = new LineChart(parent, {
      title: 'Loss',
      unit: '',
      over: 'step',
      format: decimal,
      lines: [
        { label: 'measured', colour: 'accent-soft', width: 1 },
        { label: 'smoothed', colour: 'accent', width: 2 },
      ],
    });
    this.norm = new LineChart(parent, {
      title: 'Gradient norm',
      unit: '',
      over: 'step',
      format: decimal,
      fromZero: true,
      lines: [
        { label: 'norm', colour: 'accent', width: 1.25 },
        { label: 'clipped above', colour: 'strong', width: 1.5, dash: [6, 4] },
      ],
    });
    this.accuracy = new LineChart(parent, {
      title: 'Accuracy',
      unit: 'on held-out images',
      over: 'step',
      format: percent,
      formatAxis: (share) => `${Number((100 * share).toFixed(1))} %`,
      most: 1,
      lines: [{ label: 'right', colour: 'accent', width: 2, hasPoints: true }],
    });
    this.rate = new LineChart(parent, {
      title: 'Learning rate',
      unit: '',
      over: 'step',
      format: decimal,
      fromZero: true,
      lines: [{ label: 'rate', colour: 'accent', width: 2 }],
    });
    this.speed = new LineChart(parent, {
      title: 'Throughput',
      unit: 'examples per second',
      over: 'step',
      format: compact,
      fromZero: true,
      lines: [{ label: 'trained', colour: 'accent', isFilled: true }],
    });
    this.delay = new LineChart(parent, {
      title: 'Event loop delay',
      unit: 'while this page is open',
      over: 'time',
      format: milliseconds,
      formatAxis: (value) => `${Number(value.toFixed(2))} ms`,
      fromZero: true,
      lines: [
        { label: 'p99', colour: 'accent' },
        { label: 'median', colour: 'strong', width: 1.25 },
      ],
    });
    this.#perStep = [this.loss, this.norm, this.accuracy, this.rate, this.speed];
  }
  /** @type {LineChart[]} */
  #perStep;
  /** How many milliseconds of the end of the run are shown. */
  #span = Infinity;

  /** @param {Point[]} points */
  add(points) {
    for (const point of points) this.#points.add(point);
    this.#show();
  }

  /** Takes the place of all that was there. @param {Point[]} points @param {Accuracy[]} [accuracies] */
  replace(points, accuracies) {
    this.#points.clear();
    if (accuracies !== undefined) this.#accuracies.clear();
    for (const accuracy of accuracies ?? []) this.#accuracies.add(accuracy);
    this.#showAccuracy();
    this.add(points);
  }

  /** @param {Accuracy} accuracy */
  addAccuracy(accuracy) {
    this.#accuracies.add(accuracy);
    this.#showAccuracy();
  }

  /** @param {Status} status */
  addStatus({ eventLoopDelay: { p50, p99 } }) {
    this.#delays.add({ time: Date.now() / 1000, p50, p99 });
    this.delay.show([this.#delays.column('time'), this.#delays.column('p99'), this.#delays.column('p50')]);
  }

  /** @param {number} milliseconds how much of the end of the run is shown, Infinity for all */
  showLast(milliseconds) {
    this.#span = milliseconds;
    this.#show();
  }

  /** @param {boolean} isLog */
  setLog(isLog) {
    this.loss.setLog(isLog);
    this.norm.setLog(isLog);
  }

  /** The newest numbers. */
  get latest() {
    return {
      loss: smooth(this.#points.column('loss').slice(-100)).at(-1),
      gradientNorm: this.#points.last('gradientNorm'),
      learningRate: this.#points.last('learningRate'),
      examplesPerSecond: this.#points.last('examplesPerSecond'),
      accuracy: this.#accuracies.last('accuracy'),
      accuracyStep: this.#accuracies.last('step'),
    };
  }

  #show() {
    const points = this.#points;
    const steps = points.column('step');
    const since = Number(points.last('time')) - this.#span;
    const first = steps[points.column('time').findIndex((time) => time !== null && time >= since)];
    const from = this.#span === Infinity ? -Infinity : (first ?? -Infinity);
    for (const chart of this.#perStep) chart.showFrom(from);
    this.loss.show([steps, points.column('loss'), smooth(points.column('loss'))]);
    this.norm.show([steps, points.column('gradientNorm'), points.column('clipNorm')]);
    this.rate.show([steps, points.column('learningRate')]);
    this.speed.show([steps, points.column('examplesPerSecond')]);
  }

  #showAccuracy() {
    this.accuracy.show([this.#accuracies.column('step'), this.#accuracies.column('accuracy')]);
  }
}
