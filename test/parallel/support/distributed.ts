import { createGlobalStep, type Optimizer } from 'gradstep';
import { DistributedOptimizer, type Communicator, type DistributedOptimizerOptions } from 'gradstep/parallel';
import { models, stateOf } from './models';

// What ranks train together, each with variables and an optimizer of its own, by name: the same function in each.

export interface TrainOrder {
  readonly model: string;
  readonly steps: number;
  readonly options?: DistributedOptimizerOptions;
}

/** Each rank has one share of each step. */
export function trainTogether(communicator: Communicator, { model: name, steps, options }: TrainOrder) {
  const model = models[name]!;
  const variables = model.variables();
  const globalStep = createGlobalStep();
  const optimizer: Optimizer = new DistributedOptimizer(model.optimizer(globalStep), communicator, options);
  const trained = variables.filter(({ trainable }) => trainable);
  optimizer.createSlots(trained);
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    const loss = () => model.loss(variables, step * communicator.size + communicator.rank);
    const mean = optimizer.computeGradients(loss, { varList: trained });
    losses.push(mean.loss.item());
    optimizer.applyGradients(model.transform?.(mean) ?? mean, { globalStep });
  }
  return { state: stateOf(variables, optimizer, globalStep), losses };
}

export type Program = (communicator: Communicator, order: never) => unknown;

export const programs: Readonly<Record<string, Program>> = { trainTogether };
