import type { Key } from '../tensor/in-flight';

/** Steps that other threads make of what this thread has too, as a training in workers does. */
export interface StepsElsewhere {
  /** What they change. */
  readonly keys: ReadonlySet<Key>;
  /** Waits until none of them is being made; none is until what it resolves to is called. One call at a time. */
  hold(): Promise<() => void>;
}

const announced = new Set<StepsElsewhere>();

/** Tells of steps, until what is returned is called. */
export function announceSteps(steps: StepsElsewhere): () => void {
  announced.add(steps);
  return () => void announced.delete(steps);
}

/** The steps that change any of these. */
export function stepsElsewhere(keys: readonly Key[]): StepsElsewhere[] {
  return [...announced].filter(({ keys: changed }) => keys.some((key) => changed.has(key)));
}
