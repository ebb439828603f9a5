import type { Rule } from '../lib/native';
import { difference } from './harness';
import { limit } from './limit';
import type { Side } from './sides';

/** g, w and slots: at least as many as the rule has. */
export type Arrays = readonly Float32Array[];

const needsNorms = ({ name }: Rule): boolean => name === 'lars' || name === 'nesterovLars';

/** What the rule must move, in bytes a parameter; rules with a norm take two passes. */
export function bytesPerParameter(rule: Rule): number {
  if (rule.name === 'lamb') return 4 * (6 + 4);
  if (needsNorms(rule)) return 4 * (2 + 5);
  return 4 * (1 + 2 * (1 + rule.slots.length));
}

/** The loop that moves the same memory as fast as it goes, and computes next to nothing. */
export function limitLoop(rule: Rule, [g, w, ...s]: Arrays, threads: number): () => void {
  const [first, second] = s as [Float32Array, Float32Array];
  if (rule.name === 'lamb') return limit.lamb(threads, g!, w!, first, second);
  if (needsNorms(rule)) return limit.lars(threads, g!, w!, first);
  const slots = s.slice(0, rule.slots.length);
  return limit.update(threads, g!, w!, ...slots);
}

/**
 * What a rule computes, on arrays that stay in the first-level cache: where the units that divide and take roots need
 * longer than memory does, this is the limit. `stepOn(n)` is a step of one thread on n parameters.
 */
export function arithmetic(stepOn: (parameters: number) => () => void, parameters: number, threads: number): Side {
  const n = 512; // with twice as many, five arrays are 20 KiB
  return difference('arithmetic', stepOn(2 * n), stepOn(n), parameters / n / threads);
}
