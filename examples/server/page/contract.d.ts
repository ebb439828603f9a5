/** What the server sends, as docs/server.md describes it. Numbers that are not finite come as null. */

export type State = 'idle' | 'running' | 'paused' | 'stopping' | 'failed';

/** What a step, or the last of several, was like. */
export interface Point {
  step: number;
  loss: number | null;
  gradientNorm: number | null;
  /** null without clipping */
  clipNorm: number | null;
  learningRate: number | null;
  examplesPerSecond: number | null;
  /** Milliseconds since 1970. */
  time: number;
}

export interface Accuracy {
  step: number;
  /** 0 to 1 */
  accuracy: number;
}

export interface Checkpoint {
  step: number;
  bytes: number;
  seconds: number;
  /** Milliseconds since 1970, or an ISO date. */
  savedAt: number | string;
}

export interface Worker {
  rank: number;
  state: string;
  examplesPerSecond: number | null;
}

export interface Status {
  state: State;
  reason?: string;
  step: number;
  examplesSeen: number;
  /** Whether the embedded stream of examples is on. */
  stream: boolean;
  queue: { length: number; capacity: number };
  workers: Worker[];
  /** Milliseconds. */
  eventLoopDelay: { p50: number; p99: number };
  uptimeSeconds: number;
  /** Newest first. */
  checkpoints: Checkpoint[];
  saving: boolean;
}

/** How often values lie between each two limits. */
export interface Histogram {
  name: string;
  limits: number[];
  counts: number[];
}

export interface Histograms {
  step: number;
  weights: Histogram[];
  gradients: Histogram[];
}

export interface Model {
  name: string;
  optimizer: { class: string; hyperparameters: Record<string, unknown> };
  parameters: number;
  variables: { name: string; shape: number[] }[];
  batchSize: number;
  workers: number;
  step: number;
  state: State;
}

export interface History {
  points: Point[];
  accuracies?: Accuracy[];
}

export interface Predictions {
  predictions: { label: number; probabilities: number[] }[];
  step: number;
}
