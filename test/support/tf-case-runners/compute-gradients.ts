import { expect } from 'chai';
import { GradientDescentOptimizer, variable, type Tensor } from 'gradstep';
import { decodeTensor, type Encoded, type TfRun } from '../tf-cases';
import { losses } from './losses';

/** Gradients of a loss by its variables, from any optimizer: the base class computes them. */
export function runComputeGradients({ inputs, expected, dtype, close }: TfRun): void {
  const vars = Object.fromEntries(
    Object.entries(inputs.required<Record<string, Encoded>>('vars')).map(([name, value]) => {
      return [name, variable(decodeTensor(value, dtype), { name })];
    }),
  );
  const loss = losses[inputs.required<string>('loss')]!;
  const pairs = new GradientDescentOptimizer({ learningRate: 1 }).computeGradients(() => loss(vars, dtype), {
    varList: Object.values(vars),
  });
  const gradients = Object.entries(expected.required<Record<string, Encoded>>('gradients'));
  expect(pairs).to.have.length(gradients.length);
  for (const [name, gradient] of gradients) {
    const [actual] = pairs.find(([, { name: other }]) => other === name)!;
    close((actual as Tensor).toArray(), gradient, `gradient of ${name}`);
  }
}
