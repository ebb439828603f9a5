import { hostname } from 'node:os';
import { threadId } from 'node:worker_threads';
import { checkFunction, checkRange, shown } from '../checks';
import { checkOptions, type NamesOf } from '../options';

/** Options of a `SummaryWriter`. */
export interface SummaryWriterOptions {
  /** What the file's name ends in. Default: nothing. */
  suffix?: string;
  /** Seconds after which what was added is in the file, however little it is. Default: 5. */
  flushSeconds?: number;
  /** Bytes that may wait in memory to be written; what is added beyond is dropped, and counted. Default: 64 MiB. */
  maxWaitingBytes?: number;
  /**
   * Called when the file cannot be written or something was dropped, once until it can be written again. Default: a
   * warning of the process. `flush` and `close` say it too.
   */
  onError?: (error: Error) => void;
  /** The time of an event, in seconds since 1970. Default: the clock's. */
  now?: () => number;
  /**
   * What becomes of values of a histogram that are NaN or infinite: `'skip'` leaves them out and, if there are any, adds
   * their number as the scalar `<tag>/non_finite`; `'throw'` refuses all of it by a RangeError, as TensorFlow does.
   * Default: `'skip'`.
   */
  nonFinite?: 'skip' | 'throw';
}

const names: NamesOf<SummaryWriterOptions> = {
  suffix: true,
  flushSeconds: true,
  maxWaitingBytes: true,
  onError: true,
  now: true,
  nonFinite: true,
};

/** The options, with what they are by default. @throws TypeError and RangeError for what they cannot be. */
export function settingsOf(options: SummaryWriterOptions): Required<SummaryWriterOptions> {
  checkOptions('options', options, names);
  const { suffix = '', flushSeconds = 5, maxWaitingBytes = 2 ** 26, nonFinite = 'skip' } = options;
  const { onError = warn, now = () => Date.now() / 1000 } = options;
  if (typeof suffix !== 'string' || /[/\\]/.test(suffix)) {
    throw new TypeError(`suffix must be a string without slashes, got ${shown(suffix)}`);
  }
  checkRange('flushSeconds', flushSeconds, 'from 0 to 86,400', (value) => value >= 0 && value <= 86_400);
  checkRange('maxWaitingBytes', maxWaitingBytes, 'at least 1', (value) => value >= 1);
  checkFunction('onError', onError);
  checkFunction('now', now);
  if (nonFinite !== 'skip' && nonFinite !== 'throw') {
    throw new RangeError(`nonFinite must be 'skip' or 'throw', got ${shown(nonFinite)}`);
  }
  return { suffix, flushSeconds, maxWaitingBytes, onError, now, nonFinite };
}

const warn = (error: Error): void => process.emitWarning(error.message, 'SummaryWriter');

let files = 0;

/** As TensorFlow has it, and what tells the files of one second apart. */
export function nameOfFile(start: number, suffix: string): string {
  const seconds = String(Math.floor(start)).padStart(10, '0');
  const host = hostname().replace(/[^\w.-]/g, '_');
  const thread = threadId === 0 ? '' : `.${threadId}`;
  return `events.out.tfevents.${seconds}.${host}.${process.pid}${thread}.${files++}${suffix}`;
}
