/** @import { Accuracy, Histograms, Point, Status } from './contract' */

/**
 * @typedef {object} Handlers
 * @property {() => void} connected at the start, and again whenever the server is back
 * @property {() => void} lost
 * @property {(status: Status) => void} status
 * @property {(progress: { points: Point[] }) => void} progress
 * @property {(histograms: Histograms) => void} histograms
 * @property {(accuracy: Accuracy) => void} accuracy
 */

const names = /** @type {const} */ (['status', 'progress', 'histograms', 'accuracy']);
const retryMs = 2000;
// The status comes every second. A server that is gone without a word, as when a laptop slept, sends nothing.
const silenceMs = 15000;

/** The server's events, for as long as the page is open. */
export class Feed {
  #url;
  #handlers;
  /** @type {EventSource | null} */
  #source = null;
  #heardAt = 0;

  /**
   * @param {string} url
   * @param {Handlers} handlers
   */
  constructor(url, handlers) {
    this.#url = url;
    this.#handlers = handlers;
  }

  open() {
    this.#connect();
    setInterval(() => {
      if (this.#source !== null && performance.now() - this.#heardAt > silenceMs) this.#reconnect();
    }, 1000);
  }

  #connect() {
    const source = new EventSource(this.#url);
    this.#source = source;
    this.#heardAt = performance.now();
    source.addEventListener('open', () => {
      this.#heardAt = performance.now();
      this.#handlers.connected();
    });
    source.addEventListener('error', () => {
      this.#handlers.lost();
      // The browser connects again by itself, unless there was an answer that is none, as of a proxy.
      if (source.readyState === EventSource.CLOSED && source === this.#source) this.#reconnect();
    });
    for (const name of names) {
      source.addEventListener(name, (event) => {
        this.#heardAt = performance.now();
        this.#handlers[name](JSON.parse(event.data));
      });
    }
  }

  #reconnect() {
    this.#source?.close();
    this.#source = null;
    this.#handlers.lost();
    setTimeout(() => this.#connect(), retryMs);
  }
}
