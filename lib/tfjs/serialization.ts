import { allKinds } from './kinds';
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
 * Under a name of TensorFlow.js's own classes, models that were saved with gradstep's optimizer get that, all others
 * theirs as before.
 */
export function register(tf: TfWithSerialization): void {
  const { classNameMap } = tf.serialization.SerializationMap.getMap();
  if (done.has(classNameMap)) return;
  done.add(classNameMap);
  for (const kind of allKinds) {
    const { className, isTheirs } = kind;
    const before = isTheirs ? (classNameMap[className]?.[0] as SerializableClass | undefined) : undefined;
    const fromConfig: SerializableClass['fromConfig'] = (_, config) => {
      if (before !== undefined && config.gradstep !== true) return before.fromConfig(before, config);
      return new TfjsOptimizer(kind, optionsFor(kind, config));
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
