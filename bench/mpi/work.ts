import { AdamOptimizer, type Optimizer } from 'gradstep';
import { DistributedOptimizer } from 'gradstep/mpi';
import type { Communicator } from 'gradstep/parallel';
import { numbers } from '../data';
import { compiledMnistStep } from '../mnist';
import { gptStep, leNetStep } from '../models';
import { sampled } from '../sides';

/** What ranks do again and again. */
export interface Work {
  readonly call: () => void;
  readonly result: () => readonly number[];
}

type Distribute = (optimizer: Optimizer) => Optimizer;

/** Compiled steps of a batch of its own on each rank; every rank has the same, so that the result is that of one. */
const trainings: Readonly<Record<string, (distribute: Distribute) => () => number>> = {
  'mlp-64': (distribute) => compiledMnistStep(64, distribute(new AdamOptimizer())),
  'mlp-512': (distribute) => compiledMnistStep(512, distribute(new AdamOptimizer())),
  lenet: leNetStep,
  gpt: (around) => gptStep({ around }),
};

/** The training of that name, or the sum of so many floats. */
export function workOf(name: string, communicator: Communicator): Work {
  const start = trainings[name];
  if (start !== undefined) return training(start((optimizer) => new DistributedOptimizer(optimizer, communicator)));
  return sum(Number(name), communicator);
}

/** Its result are the losses of its first steps, of which two ranks have made as many as one. */
function training(step: () => number): Work {
  const losses: number[] = [];
  const call = (): void => {
    const loss = step();
    if (losses.length < 2) losses.push(loss);
  };
  return { call, result: () => losses };
}

function sum(length: number, communicator: Communicator): Work {
  const values = sharedFloats(length);
  const call = (): void => communicator.allReduce(values, { reductionType: 'MEAN' });
  values.set(numbers(length, 11, 1));
  return { call, result: () => [...sampled(values)] };
}

/** In memory that nobody can take away meanwhile. */
export const sharedFloats = (length: number): Float32Array => new Float32Array(new SharedArrayBuffer(4 * length));
