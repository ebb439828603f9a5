import { runtime } from 'gradstep';

/** Which instruction set the kernels use, and how many threads. */
export const machine = (): string =>
  `${runtime.isa}, ${runtime.threads} ${runtime.threads === 1 ? 'thread' : 'threads'}`;
