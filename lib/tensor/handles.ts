import { shown } from '../checks';
import { isSharedForGood } from './arrays';
import type { DType, FloatArray } from './dtype';
import type { StateEntry } from './state';

// Handles: what one thread gives another so that both have the same memory. They are plain objects that can be cloned:
// structured cloning copies everything but shared memory.

/** A variable in another thread's hands: `Variable.from` makes one over the same memory. */
export interface VariableHandle {
  readonly kind: 'gradstep/variable';
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly trainable: boolean;
  /** The values, over a SharedArrayBuffer. */
  readonly memory: FloatArray;
}

/** A counter of steps in another thread's hands: `GlobalStep.from` makes one over the same memory. */
export interface GlobalStepHandle {
  readonly kind: 'gradstep/global-step';
  readonly buffer: SharedArrayBuffer;
}

/** The state of an optimizer in another thread's hands, for `adopt`: slots, and what belongs to no variable. */
export interface OptimizerHandle {
  readonly kind: 'gradstep/optimizer';
  /** The optimizer's name, for messages. */
  readonly name: string;
  /** As `state()` lists it, over SharedArrayBuffers. */
  readonly state: readonly StateEntry[];
}

/** Moving averages in another thread's hands, for `adopt`. */
export interface AveragesHandle {
  readonly kind: 'gradstep/averages';
  /** As `state()` lists it, over SharedArrayBuffers. */
  readonly state: readonly StateEntry[];
}

interface Handles {
  'gradstep/variable': VariableHandle;
  'gradstep/global-step': GlobalStepHandle;
  'gradstep/optimizer': OptimizerHandle;
  'gradstep/averages': AveragesHandle;
}

/** @throws TypeError for what is no handle of this kind; what is in it is checked where it is used. */
export function checkHandle<K extends keyof Handles>(handle: unknown, kind: K): asserts handle is Handles[K] {
  const given = typeof handle === 'object' && handle !== null ? (handle as { kind?: unknown }).kind : undefined;
  if (given === kind) return;
  const is = typeof given === 'string' ? `one of kind ${shown(given)}` : shown(handle);
  throw new TypeError(`handle must be one of kind '${kind}', as share() gives it, got ${is}`);
}

/**
 * State that can be given away: all of it in memory that both sides have.
 * @throws TypeError for what lies in memory that another thread would get a copy of, naming its key.
 */
export function sharedState(what: string, entries: readonly StateEntry[]): readonly StateEntry[] {
  for (const { key, memory } of entries) {
    if (isSharedForGood(memory)) continue;
    throw new TypeError(`${what} cannot be shared: ${shown(key)} is not in a fixed SharedArrayBuffer`);
  }
  return entries;
}
