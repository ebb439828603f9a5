import { byId, create, onPress, setText, sharpContext } from './dom.js';
import { side, toDigit } from './digit.js';
import { count, percent } from './format.js';
import { announce, showError } from './messages.js';
import { write } from './strokes.js';
import { colour, onThemeChange } from './theme.js';

/** @import { Api } from './api.js' */
/** @import { Predictions } from './contract' */
/** @import { Spot, Stroke } from './strokes.js' */

const penWidth = 0.085;
const askEveryMs = 1000;
const classes = 10;

/** A sheet to draw a digit on, and what the model thinks it is, asked anew while it learns. */
export class Pad {
  #api;
  #sheet = byId('sheet', HTMLCanvasElement);
  #preview = byId('preview', HTMLCanvasElement);
  #verdict = byId('verdict', HTMLElement);
  #askedAt = byId('asked-at', HTMLElement);
  #choice = byId('example-digit', HTMLSelectElement);
  /** @type {Stroke[]} */
  #strokes = [];
  /** @type {Stroke | null} */
  #current = null;
  #rows = Array.from({ length: classes }, (_, digit) => new Row(digit, () => void this.#teach(digit)));
  #isAsking = false;
  #isWanted = false;
  /** Whether the last question had no answer: then only a stroke asks again. */
  #isRefused = false;
  #isTraining = false;
  #isConnected = false;

  /** @param {Api} api */
  constructor(api) {
    this.#api = api;
    byId('probabilities', HTMLElement).append(...this.#rows.map(({ element }) => element));
    onPress(byId('clear-sheet', HTMLButtonElement), () => this.#set([]));
    onPress(byId('write-digit', HTMLButtonElement), () => this.#set(write(Number(this.#choice.value))));
    this.#sheet.addEventListener('pointerdown', (event) => this.#begin(event));
    this.#sheet.addEventListener('pointermove', (event) => this.#move(event));
    for (const name of /** @type {const} */ (['pointerup', 'pointercancel'])) {
      this.#sheet.addEventListener(name, () => this.#end());
    }
    setInterval(() => {
      if (this.#isTraining && !this.#isRefused && document.visibilityState === 'visible') void this.#ask();
    }, askEveryMs);
    new ResizeObserver(() => this.#draw()).observe(this.#sheet);
    onThemeChange(() => this.#draw());
  }

  /** Whether answers change by themselves. @param {boolean} isTraining */
  setTraining(isTraining) {
    this.#isTraining = isTraining;
  }

  /** @param {boolean} isConnected */
  setConnected(isConnected) {
    this.#isConnected = isConnected;
    if (isConnected) void this.#ask();
  }

  /** @param {Stroke[]} strokes */
  #set(strokes) {
    this.#strokes = strokes;
    this.#draw();
    void this.#ask();
  }

  /** @param {PointerEvent} event @returns {Spot} */
  #spot({ offsetX, offsetY }) {
    return [offsetX / this.#sheet.clientWidth, offsetY / this.#sheet.clientHeight];
  }

  /** @param {PointerEvent} event */
  #begin(event) {
    if (event.button !== 0) return;
    this.#sheet.setPointerCapture(event.pointerId);
    this.#current = [this.#spot(event)];
    this.#strokes.push(this.#current);
    this.#draw();
  }

  /** @param {PointerEvent} event */
  #move(event) {
    if (this.#current === null) return;
    this.#current.push(this.#spot(event));
    this.#draw();
  }

  #end() {
    if (this.#current === null) return;
    this.#current = null;
    void this.#ask();
  }

  #draw() {
    const context = sharpContext(this.#sheet, { willReadFrequently: true });
    if (context === null) return;
    const size = this.#sheet.clientWidth;
    context.strokeStyle = colour('ink');
    context.lineWidth = penWidth * size;
    context.lineCap = context.lineJoin = 'round';
    for (const stroke of this.#strokes) {
      const [first, ...others] = stroke.map(([x, y]) => [x * size, y * size]);
      context.beginPath();
      context.moveTo(first[0], first[1]);
      for (const [x, y] of others.length > 0 ? others : [first]) context.lineTo(x, y);
      context.stroke();
    }
    this.#drawPreview();
  }

  /** What the model gets, as it sees it. */
  #drawPreview() {
    const context = sharpContext(this.#preview);
    const digit = this.#digit();
    if (context === null || digit === null) return;
    const pixel = this.#preview.clientWidth / side;
    context.fillStyle = colour('ink');
    digit.forEach((value, i) => {
      context.globalAlpha = value;
      context.fillRect((i % side) * pixel, Math.floor(i / side) * pixel, pixel, pixel);
    });
    context.globalAlpha = 1;
  }

  /** @returns {number[] | null} the pixels that the model gets, null when nothing is drawn */
  #digit() {
    const { width, height } = this.#sheet;
    const context = this.#sheet.getContext('2d');
    if (this.#strokes.length === 0 || context === null || width === 0) return null;
    // Ink is what is opaque, whatever its colour.
    const { data } = context.getImageData(0, 0, width, height);
    const ink = Uint8Array.from({ length: width * height }, (_, i) => data[4 * i + 3]);
    return toDigit(ink, width, height);
  }

  async #ask() {
    this.#isWanted = true;
    if (this.#isAsking) return;
    this.#isAsking = true;
    try {
      while (this.#isWanted) {
        this.#isWanted = false;
        await this.#askOnce();
      }
      this.#isRefused = false;
    } catch (error) {
      this.#isRefused = true;
      // Said by the banner already when the server is gone.
      if (this.#isConnected) showError('Cannot ask the model', error);
    } finally {
      this.#isAsking = false;
    }
  }

  async #askOnce() {
    const digit = this.#digit();
    for (const row of this.#rows) row.setTeachable(digit !== null);
    if (digit === null || !this.#isConnected) return this.#show(null, 0);
    const answer = /** @type {Predictions} */ (await this.#api.post('/predict', { x: [digit] }));
    if (this.#strokes.length > 0) this.#show(answer.predictions[0], answer.step);
  }

  /** @param {Predictions['predictions'][0] | null} prediction @param {number} step */
  #show(prediction, step) {
    this.#rows.forEach((row, digit) => row.show(prediction?.probabilities[digit] ?? null, digit === prediction?.label));
    setText(this.#verdict, prediction === null ? '?' : String(prediction.label));
    setText(this.#askedAt, prediction === null ? 'Draw a digit.' : `The weights of step ${count(step)} say so.`);
  }

  /** Sends what is drawn as an example of a digit. @param {number} digit */
  async #teach(digit) {
    const x = this.#digit();
    if (x === null) return;
    try {
      await this.#api.post('/examples', { examples: [{ x, y: digit }] });
      announce(`Sent as an example of a ${digit}`);
      setText(this.#askedAt, `Sent as an example of a ${digit}.`);
    } catch (error) {
      showError('Cannot send the example', error);
    }
  }
}

/** A digit, its probability, and the button that says that this one is right. */
class Row {
  #bar = create('span', { class: 'fill' });
  #number = create('span', { class: 'number' }, percent(null));
  #button;
  element;

  /** @param {number} digit @param {() => void} teach */
  constructor(digit, teach) {
    const parts = [create('span', { class: 'digit' }, String(digit)), this.#bar, this.#number];
    this.#button = create('button', { type: 'button', class: 'probability', 'aria-disabled': 'true' }, ...parts);
    this.#button.title = `Teach: this is a ${digit}`;
    onPress(this.#button, teach);
    this.element = create('li', {}, this.#button);
  }

  /** @param {number | null} probability @param {boolean} isLargest */
  show(probability, isLargest) {
    setText(this.#number, percent(probability, 1));
    this.#bar.style.transform = `scaleX(${probability ?? 0})`;
    this.#button.classList.toggle('largest', isLargest);
  }

  /** @param {boolean} isTeachable */
  setTeachable(isTeachable) {
    this.#button.setAttribute('aria-disabled', String(!isTeachable));
  }
}
