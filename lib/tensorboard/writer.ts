import { join } from 'node:path';
import type { GradientAndVariable } from '../autodiff/gradients-and-variables';
import { checkRange, isIterable, shown } from '../checks';
import { checkOptions, type NamesOf } from '../options';
import type { Variable } from '../tensor/variable';
import { Encoder } from './encoder';
import { EventFile } from './event-file';
import { histogramValue, imageValue, scalarValue, summaryEvent, textValue, versionEvent, type Value } from './events';
import { histogramOf } from './histogram';
import { pixelsOf, type ImageInput } from './pixels';
import { encodePng } from './png';
import { recordOf } from './records';
import { nameOfFile, settingsOf, type SummaryWriterOptions } from './settings';
import { scalarOf, type HistogramInput, type ScalarInput } from './values';
import { namedPairs, namedVariables, type Named } from './named';

declare global {
  /** For programs compiled without a library that has it: TypeScript before 5.2, or no `ESNext.Disposable`. */
  interface SymbolConstructor {
    readonly asyncDispose: unique symbol;
  }
}

/** Options of `image`. */
export interface ImageOptions {
  /** [height, width], or [height, width, channels] with 1, 3 or 4 of them. Default: a tensor's own. */
  shape?: readonly number[];
}

const imageNames: NamesOf<ImageOptions> = { shape: true };

type Entry = readonly [tag: string, value: Value];

const chunkBytes = 2 ** 16;
const encoder = new Encoder();

/**
 * Writes what TensorBoard shows, into one event file of its own in a folder.
 *
 * What is added is encoded at once, so that values may change afterwards, and written soon, off the event loop, in order.
 * Nothing about the file ever throws where something is added: a full disk or a missing permission is told to `onError`,
 * and by the promise of `flush` and `close`; what was not written is tried again.
 *
 * Source: `tf.summary.FileWriter` of TensorFlow 1.
 */
export class SummaryWriter {
  private readonly file: EventFile;
  private readonly now: () => number;
  private readonly refuses: boolean;
  private closing: Promise<void> | null = null;

  /**
   * @param logdir the folder, which is made if there is none. TensorBoard takes each folder for a run.
   * @throws TypeError and RangeError for what is no path or option.
   */
  constructor(logdir: string, options: SummaryWriterOptions = {}) {
    checkText('logdir', logdir);
    const { suffix, flushSeconds, maxWaitingBytes, onError, now, nonFinite } = settingsOf(options);
    this.now = now;
    this.refuses = nonFinite === 'throw';
    const start = this.wallTime();
    this.file = new EventFile(() => join(logdir, nameOfFile(start, suffix)), {
      chunkBytes,
      mostBytes: maxWaitingBytes,
      delay: 1000 * flushSeconds,
      onError,
    });
    this.file.append(versionEvent(encoder, start));
    this.file.start(); // what is wrong with the folder shows early
  }

  /** The file. While the first `flush` is under way it may get another name, where there is a file of that one. */
  get path(): string {
    return this.file.path;
  }

  /** How many events found no room in memory and are not in the file. */
  get dropped(): number {
    return this.file.dropped;
  }

  /**
   * Adds a number, which is kept in single precision.
   * @param value a number, NaN and infinities included, or a Tensor or Variable with one element.
   * @param step a whole number.
   * @throws TypeError and RangeError for other arguments, Error after `close`.
   */
  scalar(tag: string, value: ScalarInput, step: number): void {
    checkText('tag', tag);
    this.add([[tag, scalarValue(scalarOf('value', value))]], step);
  }

  /**
   * Adds numbers by their tags, as one event.
   * @param values an object whose keys are the tags.
   * @throws TypeError and RangeError for other arguments, Error after `close`.
   * @example
   * import { SummaryWriter } from 'gradstep/tensorboard';
   * const writer = new SummaryWriter('runs/first');
   * writer.scalars({ loss: 0.5, 'train/accuracy': 0.9 }, 100);
   */
  scalars(values: Readonly<Record<string, ScalarInput>>, step: number): void {
    if (typeof values !== 'object' || values === null || isIterable(values)) {
      throw new TypeError(`values must be an object of numbers by their tags, got ${shown(values)}`);
    }
    const entries = Object.entries(values).map(([tag, value]): Entry => {
      checkText('a tag of values', tag);
      return [tag, scalarValue(scalarOf(`'${tag}'`, value))];
    });
    if (entries.length > 0) this.add(entries, step);
  }

  /**
   * Adds how often values of each size occur: see `histogramOf`, which looks at them now, natively.
   * @param values a typed array, Tensor, Variable, array of numbers, or IndexedSlices, of which the stored rows count.
   * @throws TypeError and RangeError for other arguments, Error after `close` or when memory is gone.
   */
  histogram(tag: string, values: HistogramInput, step: number): void {
    checkText('tag', tag);
    this.add(this.histogramEntries(tag, values), step);
  }

  /**
   * Adds a text, which TensorBoard shows as Markdown.
   * @throws TypeError and RangeError for other arguments, Error after `close`.
   */
  text(tag: string, text: string, step: number): void {
    checkText('tag', tag);
    if (typeof text !== 'string') throw new TypeError(`text must be a string, got ${shown(text)}`);
    this.add([[tag, textValue(text)]], step);
  }

  /**
   * Adds an image, as PNG. It is copied now and compressed off the event loop.
   * @param image a Tensor, a Variable or an array. Floats go from 0, black, to 1, others are cut off and NaN is black; bytes
   * are taken as they are. One channel is gray, three are RGB, four RGBA.
   * @throws TypeError and RangeError for other arguments, Error after `close`.
   */
  image(tag: string, image: ImageInput, step: number, options: ImageOptions = {}): void {
    checkText('tag', tag);
    checkOptions('options', options, imageNames);
    checkStep(step);
    const pixels = pixelsOf(image, options.shape);
    const time = this.wallTime();
    this.checkOpen();
    const record = async (): Promise<Uint8Array> => {
      const png = await encodePng(pixels);
      return recordOf(summaryEvent(encoder, [[tag, imageValue(png)]], time, step));
    };
    this.file.appendLater(record, pixels.lines.length);
  }

  /**
   * Adds a histogram `variables/<name>` of each variable.
   * @throws TypeError and RangeError for other arguments, Error after `close` or when memory is gone.
   */
  variables(variables: Iterable<Variable>, step: number): void {
    this.addHistograms('variables', namedVariables(variables), step);
  }

  /**
   * Adds a histogram `gradients/<name>` of each gradient that there is, under its variable's name.
   * @param gradsAndVars what `computeGradients` returns, or clipped: [gradient, variable] pairs.
   * @throws TypeError and RangeError for other arguments, Error after `close` or when memory is gone.
   */
  gradients(gradsAndVars: Iterable<GradientAndVariable>, step: number): void {
    this.addHistograms('gradients', namedPairs(gradsAndVars), step);
  }

  /**
   * Writes all that has been added, off the event loop.
   * @returns a promise that is rejected when something could not be written or was dropped since the last one. Nobody has to
   * wait for it.
   */
  flush(): Promise<void> {
    return handled(this.closing ?? this.file.flush());
  }

  /**
   * Writes all that has been added and closes the file, also when that fails. Nothing can be added afterwards; doing it
   * twice is no error.
   * @returns a promise as `flush` does.
   */
  close(): Promise<void> {
    return (this.closing ??= handled(this.file.close()));
  }

  /** `close`, at the end of the block that declared the writer with `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private histogramEntries(tag: string, values: HistogramInput): Entry[] {
    const histogram = histogramOf(values);
    const { nonFinite } = histogram;
    if (nonFinite === 0) return [[tag, histogramValue(histogram)]];
    if (!this.refuses)
      return [
        [tag, histogramValue(histogram)],
        [`${tag}/non_finite`, scalarValue(nonFinite)],
      ];
    throw new RangeError(`histogram '${tag}' has ${nonFinite} values that are NaN or infinite`);
  }

  /** An event for each, or none when one of them cannot be made. */
  private addHistograms(group: string, list: readonly Named[], step: number): void {
    const events = list.map(({ name, values }) => this.histogramEntries(`${group}/${name}`, values));
    for (const entries of events) this.add(entries, step);
  }

  private add(values: readonly Entry[], step: number): void {
    checkStep(step);
    const time = this.wallTime();
    this.checkOpen();
    this.file.append(summaryEvent(encoder, values, time, step));
  }

  private wallTime(): number {
    const time: unknown = this.now();
    checkRange('what now returns', time, 'finite', Number.isFinite);
    return time;
  }

  private checkOpen(): void {
    if (this.closing !== null) throw new Error('this SummaryWriter is closed');
  }
}

function checkText(name: string, value: unknown): void {
  if (typeof value !== 'string' || value === '') {
    throw new TypeError(`${name} must be a string that is not empty, got ${shown(value)}`);
  }
}

function checkStep(step: unknown): void {
  checkRange('step', step, 'a whole number', Number.isSafeInteger);
}

/** The same promise, whose rejection does not end a process where nobody waits for it. */
function handled(promise: Promise<void>): Promise<void> {
  promise.catch(() => undefined);
  return promise;
}
