import { AdamOptimizer, createGlobalStep, variable } from 'gradstep';

/** A model all of whose numbers say which step it is, so that a checkpoint of two is seen to be one. */
export function countingModel(sizes: readonly number[] = [3, 1000]) {
  const variables = sizes.map((size, i) => variable(new Float32Array(size), { name: `layer_${i}/w` }));
  const globalStep = createGlobalStep();
  const optimizer = new AdamOptimizer();
  optimizer.createSlots(variables);
  const slots = variables.flatMap((v) => ['m', 'v'].map((name) => optimizer.getSlot(v, name)!));
  const set = (step: number): void => {
    globalStep.value = step;
    for (const { data } of [...variables, ...slots]) data.fill(step);
  };
  /** The step that all numbers say; undefined when they differ. */
  const step = (): number | undefined => {
    const { value } = globalStep;
    return [...variables, ...slots].every(({ data }) => data.every((x) => x === value)) ? value : undefined;
  };
  return { variables, optimizer, globalStep, parts: { variables, optimizer, globalStep }, set, step };
}
