import { expect } from 'chai';
import { IndexedSlices, tensor, variable, type GlobalStep, type Optimizer, type Variable } from 'gradstep';

/** A float64 variable after as many steps as there are gradients. */
export function stepped(
  optimizer: Optimizer,
  initial: readonly number[],
  gradients: readonly (readonly number[])[],
  globalStep?: GlobalStep,
): Variable {
  const w = variable(Float64Array.from(initial));
  for (const gradient of gradients) {
    optimizer.applyGradients([[Float64Array.from(gradient), w]], globalStep && { globalStep });
  }
  return w;
}

/** A variable of three rows after two steps with a gradient for the middle one, and the slots of it. */
export function steppedRow(optimizer: Optimizer, globalStep?: GlobalStep): Variable {
  const w = variable([[1], [2], [3]], { dtype: 'float64' });
  const gradient = new IndexedSlices(tensor([[0.5]], undefined, 'float64'), [1]);
  const dense = Float64Array.of(0.25, 0.25, 0.25);
  optimizer.applyGradients([[dense, w]], globalStep && { globalStep });
  optimizer.applyGradients([[gradient, w]], globalStep && { globalStep });
  return w;
}

/** The same variable, its second gradient written out with zeros. */
export function steppedRowDensely(optimizer: Optimizer, globalStep?: GlobalStep): Variable {
  const w = variable([[1], [2], [3]], { dtype: 'float64' });
  for (const gradient of [
    [0.25, 0.25, 0.25],
    [0, 0.5, 0],
  ]) {
    optimizer.applyGradients([[Float64Array.from(gradient), w]], globalStep && { globalStep });
  }
  return w;
}

export function expectNear(actual: ArrayLike<number>, expected: readonly number[], tolerance = 1e-12): void {
  expect(actual.length).to.equal(expected.length);
  expected.forEach((value, i) => expect(actual[i], `element ${i}`).to.be.closeTo(value, tolerance));
}
