// How far many ranks go, on paper. Docs: docs/clusters.md.

/** What lies between ranks. */
export interface Network {
  readonly name: string;
  /** Of one rank, in each direction. */
  readonly bytesPerSecond: number;
  /** From the beginning of an empty message to its arrival. */
  readonly latency: number;
  /** What a message keeps a rank busy for. */
  readonly perMessage: number;
}

/** A training step of one rank. */
export interface Training {
  readonly name: string;
  readonly parameters: number;
  /** Seconds of the way there and back, of a micro-batch. */
  readonly compute: number;
}

export const networks: readonly Network[] = [
  { name: '25 Gbit/s (TCP)', bytesPerSecond: 2.8e9, latency: 25e-6, perMessage: 3e-6 },
  { name: '100 Gbit/s (RDMA)', bytesPerSecond: 11.5e9, latency: 2e-6, perMessage: 0.3e-6 },
];

// A rank is a node of 5 Tflop/s, 32 cores say; a parameter costs 6 operations for each token of 4,096.
export const sizes: readonly Training[] = [
  { name: 'MNIST-sized', parameters: 203_530, compute: 0.25e-3 },
  { name: '100 M parameters', parameters: 1e8, compute: (6 * 1e8 * 4096) / 5e12 },
  { name: '1 B parameters', parameters: 1e9, compute: (6 * 1e9 * 4096) / 5e12 },
];

const fusionBytes = 64 * 2 ** 20;
/** The way back's part of the computing: gradients are exchanged during it. */
const wayBack = 2 / 3;
/** Of main memory: three numbers moved for each that is added, Adam's seven for each parameter. */
const memoryBytesPerSecond = 1e11;

/**
 * Seconds of a sum over ranks in their order: each sends its parts to those who add them, and gets the sums from them. What
 * goes over a rank's link is 2 (n - 1) / n of the bytes, in 2 (n - 1) messages.
 */
export function exchange(bytes: number, { bytesPerSecond, latency, perMessage }: Network, ranks: number): number {
  const others = ranks - 1;
  const moved = (2 * bytes * others) / ranks / bytesPerSecond;
  const added = (3 * bytes * others) / ranks / memoryBytesPerSecond;
  return moved + added + 2 * others * perMessage + 2 * Math.min(others, 1) * latency;
}

/** Examples a second of so many ranks, divided by so many times those of one. */
export function efficiency({ parameters, compute }: Training, network: Network, ranks: number): number {
  const bytes = 4 * parameters;
  const update = (7 * bytes) / memoryBytesPerSecond;
  // The last buffer is full when the way back is over, so that nothing hides it.
  const last = exchange(Math.min(bytes, fusionBytes), network, ranks);
  const whole = Math.ceil(bytes / fusionBytes) === 1 ? last : exchange(bytes, network, ranks);
  const seen = Math.max(last, whole - wayBack * compute);
  return (compute + update) / (compute + update + seen);
}
