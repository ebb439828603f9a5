import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Saved } from './checkpoints';
import { Activity, type Feed } from './feed';
import type { State } from './trainer';

/** What the page shows of the server, and `GET /status` tells. */
export interface Status {
  readonly state: State | 'stopping';
  readonly reason?: string;
  readonly step: number;
  readonly examplesSeen: number;
  readonly stream: boolean;
  readonly queue: { readonly length: number; readonly capacity: number };
  readonly workers: readonly WorkerStatus[];
  /** How much later than wanted timers came in the last second, in milliseconds. */
  readonly eventLoopDelay: { readonly p50: number; readonly p99: number };
  readonly uptimeSeconds: number;
  /** The newest first. */
  readonly checkpoints: readonly Saved[];
  readonly saving: boolean;
  /** Whether who changes something needs a token. */
  readonly authorization: boolean;
}

export interface WorkerStatus {
  readonly rank: number;
  readonly state: (typeof activities)[Activity];
  readonly examplesPerSecond: number;
}

const activities = {
  [Activity.Stopped]: 'stopped',
  [Activity.Starting]: 'starting',
  [Activity.Running]: 'running',
  [Activity.Waiting]: 'waiting',
} as const;

/** What each worker does, and how fast: looked at now and then. */
export class WorkerRates {
  private since = performance.now();
  private counts: number[];
  private rates: number[];

  constructor(private readonly feed: Feed) {
    this.counts = new Array<number>(feed.workers).fill(0);
    this.rates = new Array<number>(feed.workers).fill(0);
  }

  measure(): void {
    const now = performance.now();
    const counts = this.counts.map((_, rank) => this.feed.examplesOf(rank));
    this.rates = counts.map((count, i) => (1000 * ((count - this.counts[i]!) | 0)) / (now - this.since)); // it may wrap
    this.since = now;
    this.counts = counts;
  }

  get workers(): WorkerStatus[] {
    return this.rates.map((examplesPerSecond, rank) => {
      return { rank, state: activities[this.feed.activityOf(rank)], examplesPerSecond };
    });
  }
}

const resolution = 10; // milliseconds

/** How late the event loop's timers come. */
export class EventLoopDelay {
  private readonly histogram = monitorEventLoopDelay({ resolution });
  now = { p50: 0, p99: 0 };

  constructor() {
    this.histogram.enable();
  }

  measure(): void {
    const late = (percentile: number): number => Math.max(0, this.histogram.percentile(percentile) / 1e6 - resolution);
    this.now = this.histogram.count === 0 ? { p50: 0, p99: 0 } : { p50: late(50), p99: late(99) };
    this.histogram.reset();
  }

  stop(): void {
    this.histogram.disable();
  }
}
