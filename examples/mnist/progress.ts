import { Presets, SingleBar } from 'cli-progress';
import type { History } from './history';

/** The loss and the norm of one batch jump about; shown are the means of so many. */
const averaged = 100;

/**
 * Tells how the training is going: by a bar in a terminal, elsewhere (a pipe, a log file) by a line now and then.
 * All of it happens in `update`, as the training loop leaves timers no chance to run.
 */
export class Progress {
  private readonly bar: SingleBar | null;
  /** Milliseconds from one picture of the state to the next. */
  private readonly pause: number;
  private lastShown = 0;

  constructor(
    private readonly history: History,
    private readonly epochs: number,
  ) {
    this.bar = process.stdout.isTTY ? createBar(process.stdout.columns) : null;
    this.pause = this.bar ? 250 : 1000;
    this.bar?.start(history.steps, 0, { text: '' });
  }

  /** To be called after every step. */
  update(): void {
    const { step, steps, elapsed } = this.history;
    if (elapsed - this.lastShown < this.pause && step < steps) return;
    this.lastShown = elapsed;
    const text = describe(this.history, this.epochs);
    if (this.bar) this.bar.update(step, { text });
    else console.log(`step ${step}/${steps}  ${text}`);
  }

  /** Leaves the bar as it is; until then its timer would keep the process alive. */
  [Symbol.dispose](): void {
    this.bar?.stop();
  }
}

function createBar(columns: number): SingleBar {
  const textWidth = 70;
  // linewrap: true leaves the terminal's settings alone, so that Ctrl-C leaves nothing behind to be undone.
  const options = { stream: process.stdout, linewrap: true, barsize: Math.max(8, Math.min(40, columns - textWidth)) };
  return new SingleBar({ ...options, format: '{bar} {percentage}%  {text}' }, Presets.shades_classic);
}

function describe({ losses, norms, step, steps, clipped, elapsed }: History, epochs: number): string {
  const from = Math.max(0, step - averaged);
  const mean = (values: Float64Array): number =>
    values.subarray(from, step).reduce((sum, x) => sum + x, 0) / (step - from);
  return [
    `epoch ${Math.ceil((epochs * step) / steps)}/${epochs}`,
    `loss ${mean(losses).toFixed(4)}`,
    `norm ${mean(norms).toFixed(2)}`,
    `clipped ${((100 * clipped) / step).toFixed(1)} %`,
    `${Math.round((1000 * step) / elapsed)} steps/s`,
  ].join('  ');
}
