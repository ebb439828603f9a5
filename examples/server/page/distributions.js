import { byId, oncePerFrame, setText, sharpContext } from './dom.js';
import { commonRange, densities, median } from './density.js';
import { count, decimal } from './format.js';
import { thin } from './points.js';
import { colour, onThemeChange } from './theme.js';

/** @import { Histogram, Histograms, Model } from './contract' */
/** @typedef {{ step: number } & Histogram} Snapshot */
/** @typedef {'weights' | 'gradients'} Kind */

const mostSnapshots = 160;
const left = 52;
const bottom = 22;
const font = '12px system-ui, sans-serif';

/** How the values of a variable, or its gradients, were spread at each time: a map of all, and one as bars. */
export class Distributions {
  #map = byId('distribution-map', HTMLCanvasElement);
  #bars = byId('distribution-bars', HTMLCanvasElement);
  #variable = byId('distribution-variable', HTMLSelectElement);
  #slider = byId('distribution-step', HTMLInputElement);
  #caption = byId('distribution-caption', HTMLElement);
  /** @type {Record<Kind, Map<string, Snapshot[]>>} */
  #snapshots = { weights: new Map(), gradients: new Map() };
  /** @type {Kind} */
  #kind = 'weights';
  /** The snapshot that somebody chose; null follows the newest. @type {number | null} */
  #chosen = null;
  #draw = oncePerFrame(() => this.#drawNow());

  constructor() {
    this.#variable.addEventListener('change', () => this.#draw());
    for (const radio of document.querySelectorAll('input[name="distribution-kind"]')) {
      radio.addEventListener('change', () => {
        this.#kind = byId('distribution-gradients', HTMLInputElement).checked ? 'gradients' : 'weights';
        this.#draw();
      });
    }
    this.#slider.addEventListener('input', () => {
      const at = Number(this.#slider.value);
      this.#chosen = at >= Number(this.#slider.max) ? null : at;
      this.#draw();
    });
    this.#map.addEventListener('pointermove', (event) => this.#point(event));
    this.#map.addEventListener('pointerdown', (event) => this.#point(event));
    this.#map.addEventListener('pointerleave', (event) => {
      if (event.pointerType !== 'mouse') return;
      this.#chosen = null;
      this.#draw();
    });
    new ResizeObserver(() => this.#draw()).observe(this.#map);
    onThemeChange(() => this.#draw());
  }

  /** @param {Model} model */
  setModel({ variables }) {
    const names = variables.map(({ name }) => name);
    const options = [...this.#variable.options].map(({ value }) => value);
    if (names.join('\n') === options.join('\n')) return;
    const shown = this.#variable.value;
    this.#variable.replaceChildren(
      ...variables.map(({ name, shape }) => new Option(`${name}  ${shape.join(' × ')}`, name, false, name === shown)),
    );
    this.#draw();
  }

  /** @param {Histograms} histograms */
  add({ step, weights, gradients }) {
    this.#addTo('weights', step, weights);
    this.#addTo('gradients', step, gradients);
    this.#draw();
  }

  /** Forgets what another server said. */
  clear() {
    for (const kind of Object.values(this.#snapshots)) kind.clear();
    this.#chosen = null;
    this.#draw();
  }

  /** @param {Kind} kind @param {number} step @param {Histogram[]} histograms */
  #addTo(kind, step, histograms) {
    for (const histogram of histograms) {
      const before = this.#snapshots[kind].get(histogram.name) ?? [];
      const list = [...before.filter((snapshot) => snapshot.step < step), { step, ...histogram }];
      this.#snapshots[kind].set(histogram.name, list.length > mostSnapshots ? thin(list) : list);
    }
  }

  /** @param {PointerEvent} event */
  #point(event) {
    const { length } = this.#shown;
    if (length === 0) return;
    const width = this.#map.clientWidth - left;
    const at = Math.floor(((event.offsetX - left) / width) * length);
    this.#chosen = at < 0 || at >= length - 1 ? null : at;
    this.#draw();
  }

  get #shown() {
    return this.#snapshots[this.#kind].get(this.#variable.value) ?? [];
  }

  #drawNow() {
    const snapshots = this.#shown;
    const at = Math.min(this.#chosen ?? Infinity, snapshots.length - 1);
    this.#slider.max = String(Math.max(0, snapshots.length - 1));
    this.#slider.value = String(Math.max(0, at));
    const range = commonRange(snapshots);
    this.#drawMap(snapshots, range, at);
    this.#drawBars(snapshots[at], range);
    this.#describe(snapshots, range, at);
  }

  /** @param {Snapshot[]} snapshots @param {[number, number]} range @param {number} at */
  #drawMap(snapshots, [low, high], at) {
    const context = sharpContext(this.#map);
    if (context === null) return;
    const { clientWidth, clientHeight } = this.#map;
    const width = clientWidth - left;
    const height = clientHeight - bottom;
    context.fillStyle = colour('sunken');
    context.fillRect(left, 0, width, height);
    const column = width / Math.max(1, snapshots.length);
    context.fillStyle = colour('accent');
    /** @param {number} value */
    const y = (value) => Math.round((height * (high - value)) / (high - low));
    snapshots.forEach((snapshot, i) => {
      const start = Math.round(left + i * column);
      const end = Math.round(left + (i + 1) * column);
      for (const { from, to, density } of densities(snapshot, [low, high])) {
        context.globalAlpha = Math.sqrt(density);
        context.fillRect(start, y(to), end - start, y(from) - y(to));
      }
    });
    context.globalAlpha = 1;
    if (snapshots.length > 1) {
      context.strokeStyle = colour('strong');
      context.lineWidth = 1.5;
      context.strokeRect(left + at * column, 0.75, Math.max(2, column), height - 1.5);
    }
    this.#drawAxes(context, snapshots, [low, high], width, height);
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {Snapshot[]} snapshots
   * @param {[number, number]} range
   * @param {number} width
   * @param {number} height
   */
  #drawAxes(context, snapshots, [low, high], width, height) {
    context.font = font;
    context.fillStyle = colour('faint');
    context.textAlign = 'right';
    const zero = height * (high / (high - low));
    const labels = /** @type {[number, number][]} */ ([
      [6, high],
      [height - 6, low],
    ]);
    if (zero > 24 && zero < height - 24) labels.push([zero, 0]);
    context.textBaseline = 'middle';
    for (const [y, value] of labels) context.fillText(value === 0 ? '0' : decimal(value), left - 8, y);
    if (snapshots.length === 0) return;
    context.textBaseline = 'bottom';
    context.textAlign = 'left';
    context.fillText(count(snapshots[0].step), left, height + bottom);
    context.textAlign = 'right';
    context.fillText(count(snapshots[snapshots.length - 1].step), left + width, height + bottom);
    context.textAlign = 'center';
    context.fillText('step', left + width / 2, height + bottom);
  }

  /** @param {Snapshot | undefined} snapshot @param {[number, number]} range */
  #drawBars(snapshot, [low, high]) {
    const context = sharpContext(this.#bars);
    if (context === null) return;
    const { clientWidth: width, clientHeight } = this.#bars;
    const height = clientHeight - bottom;
    context.strokeStyle = colour('grid');
    context.strokeRect(0, height + 0.5, width, 0);
    if (snapshot === undefined) return;
    context.fillStyle = colour('accent');
    /** @param {number} value */
    const x = (value) => ((value - low) / (high - low)) * width;
    for (const { from, to, density } of densities(snapshot, [low, high])) {
      const bar = density * (height - 8);
      context.fillRect(x(from), height - bar, Math.max(0.5, x(to) - x(from) - 1), bar);
    }
    context.font = font;
    context.fillStyle = colour('faint');
    context.textBaseline = 'bottom';
    context.textAlign = 'left';
    context.fillText(decimal(low), 0, clientHeight);
    context.textAlign = 'right';
    context.fillText(decimal(high), width, clientHeight);
    const zero = (-low / (high - low)) * width;
    context.textAlign = 'center';
    if (zero > 60 && zero < width - 60) context.fillText('0', zero, clientHeight);
  }

  /** @param {Snapshot[]} snapshots @param {[number, number]} range @param {number} at */
  #describe(snapshots, [low, high], at) {
    const snapshot = snapshots[at];
    const of = `${this.#kind === 'weights' ? 'Weights' : 'Gradients'} of ${this.#variable.value}`;
    if (snapshot === undefined) {
      setText(this.#caption, 'Nothing yet');
      for (const canvas of [this.#map, this.#bars]) canvas.setAttribute('aria-label', `${of}: nothing yet.`);
      return;
    }
    const isNewest = at === snapshots.length - 1;
    setText(this.#caption, `Step ${count(snapshot.step)}${isNewest ? ', the newest' : ''}`);
    this.#slider.setAttribute('aria-valuetext', `step ${count(snapshot.step)}`);
    const spread = `nearly all between ${decimal(low)} and ${decimal(high)}`;
    this.#map.setAttribute(
      'aria-label',
      `${of} over steps ${count(snapshots[0].step)} to ${count(snapshots[snapshots.length - 1].step)}: ${spread}.`,
    );
    this.#bars.setAttribute(
      'aria-label',
      `${of} at step ${count(snapshot.step)}: median ${decimal(median(snapshot))}.`,
    );
  }
}
