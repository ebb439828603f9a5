import * as library from 'gradstep';
import { isIterable, shown } from '../checks';
import type { HistogramInput } from './values';

/** What histograms of a model are made of. */
export interface Named {
  readonly name: string;
  readonly values: HistogramInput;
}

/** @throws TypeError for what is no list of Variables. */
export function namedVariables(variables: unknown): Named[] {
  if (!isIterable(variables))
    throw new TypeError(`variables must be an iterable of Variables, got ${shown(variables)}`);
  return Array.from(variables, (variable) => {
    if (!(variable instanceof library.Variable))
      throw new TypeError(`variables must hold Variables, got ${shown(variable)}`);
    return { name: variable.name, values: variable };
  });
}

/** Those of the gradients that are not null. @throws TypeError for what is no list of pairs. */
export function namedPairs(gradsAndVars: unknown): Named[] {
  if (!isIterable(gradsAndVars)) {
    throw new TypeError(`gradsAndVars must be an iterable of [gradient, variable] pairs, got ${shown(gradsAndVars)}`);
  }
  return Array.from(gradsAndVars, (pair) => {
    const [gradient, variable] = (Array.isArray(pair) ? pair : []) as readonly unknown[];
    if (!(variable instanceof library.Variable)) {
      throw new TypeError(`gradsAndVars must hold [gradient, variable] pairs, got ${shown(pair)}`);
    }
    return { name: variable.name, values: gradient as HistogramInput | null };
  }).filter((named): named is Named => named.values !== null);
}
