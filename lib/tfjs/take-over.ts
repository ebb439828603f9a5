import { shown } from '../checks';
import type { TfNamedTensor, TfVariable } from './engine';
import { optionsFor, TfjsOptimizer, type Kind } from './optimizer';

// Where TensorFlow.js's optimizers keep their state: lists of variables, each under the name of the slot.
const fields: Readonly<Record<string, readonly string[]>> = {
  SGD: [],
  Momentum: ['accumulations'],
  Adagrad: ['accumulatedGrads'],
  Adadelta: ['accumulatedGrads', 'accumulatedUpdates'],
  Adam: ['accumulatedFirstMoment', 'accumulatedSecondMoment'],
  Adamax: ['accumulatedFirstMoment', 'accumulatedWeightedInfNorm'],
  RMSProp: ['accumulatedMeanSquares', 'accumulatedMoments', 'accumulatedMeanGrads'],
};

/** An optimizer of TensorFlow.js's. */
interface Theirs {
  readonly iterations: number;
  getClassName(): string;
  getConfig(): Record<string, unknown>;
}

type Accumulated = readonly { readonly originalName: string; readonly variable: TfVariable }[];

const suffixOf = (name: string): string => name.slice(name.lastIndexOf('/') + 1);

/**
 * @param options what is to be different from the other's.
 * @throws TypeError for what is no optimizer whose state is known, Error for one with other state.
 */
export function takeOver(kind: Kind, optimizer: object, options: object): TfjsOptimizer {
  const weights = weightsOf(optimizer);
  const theirs = optimizer as Theirs;
  const made = new TfjsOptimizer(kind, { ...optionsFor(kind, theirs.getConfig()), ...options });
  const suffixes = made.weightSuffixes;
  const given = new Set(weights.map(({ name }) => suffixOf(name)));
  if (weights.length > 0 && String([...given].sort()) !== String([...suffixes].sort())) {
    made.dispose();
    throw new Error(
      `${kind.className} has for each variable ${suffixes.join(', ') || 'no state'}, ` +
        `the optimizer to take over has ${[...given].join(', ')}`,
    );
  }
  const ordered = suffixes.flatMap((suffix) => weights.filter(({ name }) => suffixOf(name) === suffix));
  made.takeOver(ordered, theirs.iterations);
  return made;
}

function weightsOf(optimizer: object): TfNamedTensor[] {
  if (optimizer instanceof TfjsOptimizer) return optimizer.currentWeights();
  const className = (optimizer as Partial<Theirs> | null)?.getClassName?.();
  const names = className === undefined ? undefined : fields[className];
  if (names === undefined) {
    throw new TypeError(`from takes an optimizer of TensorFlow.js, such as model.optimizer, got ${shown(optimizer)}`);
  }
  return names.flatMap((name) => {
    const accumulated = (optimizer as unknown as Record<string, Accumulated | undefined>)[name] ?? [];
    return accumulated.map(({ originalName, variable }) => ({ name: originalName, tensor: variable }));
  });
}
