import type { Rule } from '../lib/native';
import { limit } from './limit';

/** g, w and slots: at least as many as the rule has. */
export type Arrays = readonly Float32Array[];

const needsNorms = ({ name }: Rule): boolean => name === 'lars' || name === 'nesterovLars';

/** What the rule must move, in bytes a parameter; rules with a norm take two passes. */
export function bytesPerParameter(rule: Rule): number {
  if (rule.name === 'lamb') return 4 * (6 + 4);
  if (needsNorms(rule)) return 4 * (2 + 5);
  return 4 * (1 + 2 * (1 + rule.slots.length));
}

/** The loop that moves the same memory, and computes next to nothing. */
export function limitLoop(rule: Rule, [g, w, ...s]: Arrays, threads: number): () => void {
  const [first, second] = s as [Float32Array, Float32Array];
  if (rule.name === 'lamb') return () => limit.lamb(threads, g!, w!, first, second);
  if (needsNorms(rule)) return () => limit.lars(threads, g!, w!, first);
  const slots = s.slice(0, rule.slots.length);
  return () => limit.update(threads, g!, w!, ...slots);
}
