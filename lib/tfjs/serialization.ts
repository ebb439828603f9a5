import { theEngine } from './engine';
import { allKinds } from './kinds';
import { isReachable } from './memory/memory';
import { optionsFor, TfjsOptimizer } from './optimizer';

// Models are saved with the class name and the options of their optimizer. Each copy of TensorFlow.js has a map of class
// names, by which it makes the optimizer again when it loads a model.

interface SerializableClass {
  readonly className: string;
  readonly fromConfig: (cls: SerializableClass, config: Record<string, unknown>) => unknown;
}

/** What is needed of `tf`: any namespace of TensorFlow.js that has `serialization`. */
export interface TfWithSerialization {
  readonly serialization: {
    readonly SerializationMap: {
      /** The one map there is. */
      getMap(): {
        classNameMap: Record<string, readonly [cls: object, fromConfig: unknown] | undefined>;
      };
    };
  };
}

type ClassNameMap = ReturnType<TfWithSerialization['serialization']['SerializationMap']['getMap']>['classNameMap'];

const done = new WeakSet<ClassNameMap>();

/**
 * Makes gradstep's optimizers known to a copy of TensorFlow.js, so that models saved with them load with them. The copies
 * that Node has loaded as modules are found without it, whenever an optimizer is made.
 *
 * Where the formula is TensorFlow.js's, so is the name: such a model gets gradstep's optimizer, whichever it was saved with,
 * and TensorFlow.js's own on a backend whose memory cannot be reached.
 */
export function register(tf: TfWithSerialization): void {
  const { classNameMap } = tf.serialization.SerializationMap.getMap();
  if (done.has(classNameMap)) return;
  done.add(classNameMap);
  for (const kind of allKinds) {
    const { className, isTheirs } = kind;
    const before = isTheirs ? (classNameMap[className]?.[0] as SerializableClass | undefined) : undefined;
    const fromConfig: SerializableClass['fromConfig'] = (_, config) => {
      const options = optionsFor(kind, config);
      const isOut = before !== undefined && options.copy !== true && !isReachable(theEngine());
      return isOut ? before.fromConfig(before, config) : new TfjsOptimizer(kind, options);
    };
    const cls: SerializableClass = { className, fromConfig };
    classNameMap[className] = [cls, fromConfig];
  }
}

let modulesSeen = -1;

/** Registers with every copy that Node has loaded. Loads nothing. */
export function registerLoaded(): void {
  const modules = Object.keys(require.cache);
  if (modules.length === modulesSeen) return;
  modulesSeen = modules.length;
  for (const path of modules) {
    if (!path.includes('tfjs')) continue;
    const tf = require.cache[path]?.exports as Partial<TfWithSerialization> | undefined;
    if (tf?.serialization?.SerializationMap !== undefined) register(tf as TfWithSerialization);
  }
}
