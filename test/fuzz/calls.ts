import {
  AggregationMethod,
  assignMovingAverage,
  clipByAverageNorm,
  clipByGlobalNorm,
  clipByNorm,
  clipByValue,
  collectState,
  ConditionalAccumulator,
  copyState,
  createGlobalStep,
  DynamicLossScale,
  ExponentialMovingAverage,
  FixedLossScale,
  globalNorm,
  GradientAccumulator,
  gradients,
  IndexedSlices,
  keep,
  MixedPrecisionLossScaleOptimizer,
  ops,
  RandomGenerator,
  restoreState,
  runtime,
  SparseConditionalAccumulator,
  SyncReplicasOptimizer,
  Tensor,
  tensor,
  tidy,
  unzip,
  Variable,
  variable,
  zip,
  type Constraint,
  type Averaged,
  type Clippable,
  type FloatArray,
  type Gradient,
  type GradientAndVariable,
  type Isa,
  type StateEntry,
} from 'gradstep';
import { arraysInReach, hostileFunction } from './effects';
import {
  detach,
  fill,
  isDetachable,
  makeArray,
  pickDType,
  pickSize,
  rangeOf,
  resize,
  shifted,
  type Range,
} from './memory';
import { nonsense, perhaps } from './nonsense';
import { knownOptimizers, type KnownOptimizer } from './optimizers';
import type { Picks } from './picks';
import type { Allowed, Family } from './snapshot';
import { isFloatArray, pickPairs, plainStep, reasonToRefuse, valuesFor } from './step';
import { safely, type HeldList, type HeldOptimizer, type Part, type World } from './world';

/** One public call, with arguments that are mostly right. */
export type Call = (world: World, picks: Picks) => void;

const family = (): { family: Family } => ({ family: { isSpent: false } });

function shapeFor(picks: Picks, size: number): number[] | undefined {
  if (size === 1 && picks.isRare(30)) return [];
  if (size > 1 && size % 2 === 0 && picks.isRare(40)) return [size / 2, 2];
  return size === 3 && picks.isRare(50) ? [3, 1] : undefined;
}

const makeVariable: Call = (world, picks) => {
  const [dtype, size] = [pickDType(picks), pickSize(picks)];
  const shape = shapeFor(picks, size);
  const plain: Constraint = picks.isRare(50) ? (x) => ops.maximum(x, -1) : (x) => x;
  const constraint = hostileFunction(world, picks, plain);
  const options = {
    ...(shape && { shape }),
    ...(picks.isRare(10) && { constraint }),
    ...(picks.isRare(10) && { trainable: false }),
    ...(picks.isRare(5) && { name: 'same' }),
  };
  const isOver = picks.isRare(50);
  const near = picks.oneOf(world.variables)?.value;
  const array =
    near && picks.isRare(10)
      ? safely(() => shifted(picks, near.data), new Float32Array(size))
      : makeArray(picks, dtype, size);
  const values = perhaps(picks, array);
  const given = perhaps(picks, options);
  const made = world.call(`${isOver ? 'Variable.over' : 'variable'}(${dtype} ${size})`, () => {
    return isOver ? Variable.over(values, given) : variable(values, given);
  });
  if (!('value' in made)) return;
  if (isFloatArray(values) && isOver && picks.isRare(30)) world.addArray(values);
  world.add(world.variables, 'v', made.value, family());
};

const holdArray: Call = (world, picks) => {
  world.addArray(makeArray(picks, pickDType(picks), picks.oneOf(world.variables)?.value.size ?? pickSize(picks)));
};

const makeTensor: Call = (world, picks) => {
  const size = picks.oneOf(world.variables)?.value.size ?? pickSize(picks);
  const values = perhaps(picks, makeArray(picks, pickDType(picks), size));
  const shape = perhaps(picks, shapeFor(picks, size));
  const made = world.call(`tensor(${size})`, () => tensor(values, shape));
  if ('value' in made) world.add(world.tensors, 't', made.value, family());
};

const makeSlices: Call = (world, picks) => {
  const size = picks.oneOf(world.variables)?.value.size ?? pickSize(picks);
  const n = 1 + picks.below(3);
  const values = perhaps(picks, makeArray(picks, pickDType(picks), n));
  const indices = perhaps(
    picks,
    Int32Array.from({ length: n }, () => picks.below(size + 1)),
  );
  const made = world.call(`new IndexedSlices(${n} of ${size})`, () => {
    return new IndexedSlices(values, indices, perhaps(picks, [size]));
  });
  if ('value' in made) world.add(world.slices, 's', made.value, family());
};

const toDense: Call = (world, picks) => {
  const slices = picks.oneOf(world.slices);
  if (slices === undefined) return;
  const made = world.call(`${slices.key}.toDense()`, () => slices.value.toDense());
  if ('value' in made) world.add(world.tensors, 't', made.value, family());
};

/** Options of an optimizer: what it needs, hyperparameters that are functions, groups. */
function optionsFor(world: World, picks: Picks, { needed, schedules }: KnownOptimizer): [object, boolean] {
  const options: Record<string, unknown> = needed();
  let isPlain = true;
  for (const name of schedules) {
    if (!picks.isRare(15)) continue;
    options[name] = hostileFunction(world, picks, () => 0.5);
    isPlain = false;
  }
  if (picks.isRare(20)) {
    isPlain = false;
    const variables = world.variables.filter(() => picks.isRare(40)).map(({ value }) => value);
    const name = picks.oneOf(schedules);
    const value = picks.isRare(50) ? 0.25 : hostileFunction(world, picks, () => 0.25);
    options['groups'] = [perhaps(picks, { variables, ...(name !== undefined && { [name]: value }) })];
  }
  if (picks.isRare(3)) {
    isPlain = false;
    const names = ['learningRate', 'name', 'groups', 'useLocking', ...schedules] as const;
    options[picks.of(names)] = nonsense(picks);
  }
  return [options, isPlain];
}

const makeOptimizer: Call = (world, picks) => {
  const known = picks.of(knownOptimizers as [KnownOptimizer, ...KnownOptimizer[]]);
  const [options, isPlain] = optionsFor(world, picks, known);
  const given = perhaps(picks, options, 2) as Record<string, unknown>;
  const made = world.call(`new ${known.name}({ ${Object.keys(options).join(', ')} })`, () => new known.Class(given));
  if (!('value' in made)) return;
  const { learningRate, momentum } = options as { learningRate: number; momentum: number };
  const rule = {
    GradientDescentOptimizer: { learningRate, momentum: null },
    MomentumOptimizer: { learningRate, momentum },
  }[known.name];
  const held = { root: '', also: [], isWrapper: false, rule: isPlain && given === options ? rule : undefined };
  const added = world.add(world.optimizers, 'o', made.value, held);
  Object.assign(added, { root: added.key });
};

const wrapOptimizer: Call = (world, picks) => {
  const inner = picks.oneOf(world.optimizers);
  if (inner === undefined || inner.isWrapper) return;
  const { root } = inner;
  if (picks.isRare(50)) {
    const options = perhaps(picks, { replicasToAggregate: 1 + picks.below(2), numTokens: picks.below(3) });
    const made = world.call(`new SyncReplicasOptimizer(${inner.key})`, () => {
      return new SyncReplicasOptimizer(perhaps(picks, inner.value), options);
    });
    if (!('value' in made)) return;
    const { key } = world.add(world.replicas, 'r', made.value);
    world.add(world.optimizers, 'o', made.value, { root, also: [key], isWrapper: true });
    return;
  }
  const scale = picks.oneOf(world.scales);
  const loss = perhaps(picks, picks.isRare(30) ? 8 : (scale?.value ?? 'dynamic'));
  const made = world.call(`new MixedPrecisionLossScaleOptimizer(${inner.key})`, () => {
    return new MixedPrecisionLossScaleOptimizer(perhaps(picks, inner.value), loss);
  });
  if (!('value' in made)) return;
  const { key } = world.add(world.scales, 'scale', made.value.lossScale);
  const also = scale === undefined ? [key] : [key, scale.key];
  world.add(world.optimizers, 'o', made.value, { root, also, isWrapper: true });
};

/** What a step of an optimizer may change: variables and gradients beside, its state. */
function changesOf(world: World, { root, also }: HeldOptimizer, ranges: Range[], families: readonly Family[]): Allowed {
  const related = world.optimizers.filter((other) => other.root === root);
  const keys = related.flatMap(({ key, also }) => [`${key}.`, ...also]);
  return { ranges, keys: [...keys, ...also, ...world.scaleKeys()], families: [...families] };
}

const apply: Call = (world, picks) => {
  const optimizer = picks.oneOf(world.optimizers);
  if (optimizer === undefined) return;
  const pairs = pickPairs(world, picks);
  const step = picks.oneOf(world.steps);
  const isCounted = step !== undefined && picks.isRare(50);
  const replicas = world.replicas.find(({ value }) => value === optimizer.value);
  const options = perhaps(picks, isCounted || (replicas && step) ? { globalStep: step.value } : {});
  const variables = replicas ? world.variables.map(({ value }) => value) : pairs.stepped;
  const allowed = changesOf(world, optimizer, world.rangesOf(variables), []);
  if (step !== undefined) (allowed.keys as string[]).push(step.key);
  // What the inner optimizer throws leaves the gradients gathered.
  const whenThrown = replicas === undefined ? {} : { keys: [replicas.key] };
  const reason = optimizer.isWrapper ? undefined : reasonToRefuse(pairs);
  const check = plainStep(optimizer, pairs);
  const { effects } = world;
  // Replicas have used gradients up before the inner optimizer steps, whatever that does.
  if (replicas !== undefined) for (const one of pairs.families) one.isSpent = true;
  if (Array.isArray(pairs.given) && !world.lists.some(({ value }) => value === pairs.given)) {
    world.pairsInUse.push(pairs.given as GradientAndVariable[]);
  }
  const inUse = world.pairsInUse.length;
  const outcome = world.call(
    `${optimizer.key}.applyGradients(${pairs.what}${isCounted ? `, ${step.key}` : ''})`,
    () => optimizer.value.applyGradients(pairs.given, options),
    allowed,
    whenThrown,
  );
  if (Array.isArray(pairs.given) && inUse > 0) world.pairsInUse.pop();
  if ('value' in outcome) for (const one of pairs.families) one.isSpent = true;
  if (!('value' in outcome)) return;
  if (world.effects !== effects) return;
  if (reason !== undefined) world.fail(`a step was made though ${reason}`);
  const fault = check?.();
  if (fault !== undefined) world.fail(fault);
};

const unary = ['square', 'neg', 'tanh', 'abs', 'relu', 'exp', 'sigmoid', 'softmax', 'sqrt', 'log'] as const;
const binary = ['add', 'mul', 'sub', 'div', 'maximum', 'minimum'] as const;

/** A loss of some of the variables, by ops that fit or do not. */
function pickLoss(world: World, picks: Picks): () => Tensor {
  const own = picks.fork();
  const extra = picks.fork();
  const end = picks.of(['l2Loss', 'reduceSum', 'reduceMean'] as const);
  const plain = (): Tensor => {
    const again = new Map<number, number>();
    const draw = (n: number): number => {
      const i = again.size;
      const found = again.get(i) ?? own.below(n);
      again.set(i, found);
      return found % n;
    };
    const first = world.variables[draw(Math.max(world.variables.length, 1))]?.value;
    if (first === undefined) return tensor(1);
    let x: Tensor = ops[unary[draw(unary.length)]!](first);
    for (let i = draw(4); i > 0; i--) {
      if (draw(2) === 0) {
        x = ops[unary[draw(unary.length)]!](x);
        continue;
      }
      const other = world.variables[draw(world.variables.length)]!.value;
      const fits = other.dtype === x.dtype && other.size === x.size && other.shape.join() === x.shape.join();
      x = ops[binary[draw(binary.length)]!](x, fits || extra.isRare(5) ? other : x);
    }
    if (extra.isRare(5)) x = tidy(() => ops.square(x));
    if (extra.isRare(5)) world.add(world.tensors, 't', keep(x), family());
    if (extra.isRare(3)) x.dispose();
    return ops[end](x);
  };
  return picks.isRare(20) ? hostileFunction(world, picks, plain) : plain;
}

function addList(world: World, pairs: readonly GradientAndVariable[], families?: readonly Family[]): HeldList {
  const own = families ?? pairs.map(() => ({ isSpent: false }));
  return world.add(world.lists, 'list', pairs as GradientAndVariable[], { families: own });
}

const compute: Call = (world, picks) => {
  const optimizer = picks.oneOf(world.optimizers);
  if (optimizer === undefined) return;
  const loss = perhaps(picks, pickLoss(world, picks));
  const variables = world.variables.filter(() => picks.isRare(50)).map(({ value }) => value);
  const options = {
    ...(picks.isRare(30) && { varList: perhaps(picks, variables) }),
    ...(picks.isRare(10) && { aggregationMethod: perhaps(picks, AggregationMethod.DEFAULT) }),
    ...(picks.isRare(10) && { gradLoss: perhaps(picks, tensor(2)) }),
  };
  const outcome = world.call(
    `${optimizer.key}.computeGradients(loss, { ${Object.keys(options).join(', ')} })`,
    () => optimizer.value.computeGradients(loss, perhaps(picks, options)),
    { retires: true },
    { retires: true },
  );
  if ('value' in outcome) addList(world, outcome.value);
};

const minimize: Call = (world, picks) => {
  const optimizer = picks.oneOf(world.optimizers);
  if (optimizer === undefined) return;
  const loss = pickLoss(world, picks);
  const step = picks.oneOf(world.steps);
  const replicas = world.replicas.find(({ value }) => value === optimizer.value);
  const allowed = changesOf(world, optimizer, world.rangesOf(world.variables.map(({ value }) => value)), []);
  if (step !== undefined) (allowed.keys as string[]).push(step.key);
  world.call(
    `${optimizer.key}.minimize(loss)`,
    () => optimizer.value.minimize(loss, perhaps(picks, step ? { globalStep: step.value } : {})),
    { ...allowed, retires: true },
    { retires: true, keys: replicas ? [replicas.key] : [] },
  );
};

const differentiate: Call = (world, picks) => {
  const xs = world.variables.slice(0, 2).map(({ value }) => value);
  const outcome = world.call('gradients(ys, xs)', () => gradients(pickLoss(world, picks), perhaps(picks, xs)));
  if (!('value' in outcome)) return;
  for (const gradient of outcome.value) {
    if (gradient instanceof Tensor) world.add(world.tensors, 't', gradient, family());
  }
};

/** Something to clip, and what clipping it in place may write: all memory of its family. */
function pickClippable(world: World, picks: Picks): { t: Clippable; word: string; range: Range[]; families: Family[] } {
  const all = [...world.arrays, ...world.variables, ...world.slices, ...world.tensors];
  const held = picks.oneOf(all);
  if (held === undefined) return { t: Float32Array.of(3, 4), word: 'new', range: [], families: [] };
  const { value, key, family } = held;
  // What clipping makes of a variable is over its memory too.
  const related = all.filter((other) => other.family === family);
  const range = related.flatMap((other) => safely(() => [rangeOf(dataOf(other.value))], []));
  return { t: perhaps(picks, value), word: key, range, families: [family] };
}

const dataOf = (value: FloatArray | Variable | IndexedSlices | Tensor): FloatArray => {
  if (isFloatArray(value)) return value;
  return value instanceof IndexedSlices ? value.values.data : value.data;
};

function holdClipped(world: World, clipped: unknown, families: readonly Family[]): void {
  const of = { family: families[0] ?? { isSpent: false } };
  if (clipped instanceof Tensor) world.add(world.tensors, 't', clipped as Tensor, of);
  else if (clipped instanceof IndexedSlices) world.add(world.slices, 's', clipped, of);
  else if (isFloatArray(clipped)) world.addArray(clipped);
}

const clipOne: Call = (world, picks) => {
  const { t, word, range, families } = pickClippable(world, picks);
  const inPlace = picks.isRare(40);
  const nonFinite = picks.of(['propagate', 'zero', 'error'] as const);
  const bound = perhaps(picks, picks.below(4));
  const kind = picks.of(['clipByValue', 'clipByNorm', 'clipByAverageNorm'] as const);
  const options = perhaps(picks, { inPlace, ...(kind !== 'clipByValue' && { nonFinite }) });
  const allowed = inPlace ? { ranges: range, families } : {};
  const outcome = world.call(
    `${kind}(${word}, ${typeof bound === 'number' ? bound : 'nonsense'}${inPlace ? ', in place' : ''})`,
    (): unknown => {
      if (kind === 'clipByValue') return clipByValue(t, perhaps(picks, -1), bound, options);
      return kind === 'clipByNorm' ? clipByNorm(t, bound, options) : clipByAverageNorm(t, bound, options);
    },
    allowed,
  );
  if ('value' in outcome && !inPlace) holdClipped(world, outcome.value, families);
};

const clipMany: Call = (world, picks) => {
  const list = picks.oneOf(world.lists);
  const isList = list !== undefined && !picks.isRare(40);
  const some = Array.from({ length: picks.below(4) }, () => pickClippable(world, picks));
  const entries = isList ? list.value : some.map(({ t }) => (picks.isRare(10) ? null : t));
  const families = isList ? [...list.families] : some.flatMap(({ families }) => families);
  const inPlace = picks.isRare(20);
  const ranges = isList
    ? list.value.flatMap(([g]) =>
        g && !(g instanceof IndexedSlices) ? safely(() => [rangeOf((g as Tensor).data ?? g)], []) : [],
      )
    : some.flatMap(({ range }) => range);
  const options = perhaps(picks, {
    ...(inPlace && { inPlace }),
    ...(picks.isRare(20) && { useNorm: perhaps(picks, 2, 20) }),
    ...(picks.isRare(20) && { nonFinite: picks.of(['propagate', 'zero', 'error'] as const) }),
  });
  const outcome = world.call(
    `clipByGlobalNorm(${isList ? list.key : `[${some.map(({ word }) => word).join(', ')}]`}${inPlace ? ', in place' : ''})`,
    () =>
      clipByGlobalNorm(perhaps(picks, entries) as GradientAndVariable[], perhaps(picks, 1 + picks.below(3)), options),
    inPlace ? { ranges, families } : {},
  );
  if (!('value' in outcome) || !isList) return;
  const [clipped] = outcome.value;
  if (clipped.every((pair) => Array.isArray(pair) && pair[1] instanceof Variable))
    addList(world, clipped, list.families);
};

const norm: Call = (world, picks) => {
  const some = Array.from({ length: picks.below(4) }, () => pickClippable(world, picks));
  const list = some.map(({ t }) => t);
  const given = perhaps(picks, list);
  const what = `globalNorm([${some.map(({ word }) => word).join(', ')}])`;
  const outcome = world.call(what, () => globalNorm(given));
  if (!('value' in outcome) || given !== list) return;
  const arrays = some.map(({ t }) => (isFloatArray(t) ? t : null));
  if (arrays.length === 0 || arrays.some((array) => array === null)) return;
  if (arrays.some((array) => Object.getPrototypeOf(array) !== Object.getPrototypeOf(arrays[0]))) return;
  const expected = Math.sqrt(arrays.reduce((sum, array) => sum + sumOfSquares(array!), 0));
  if (!Number.isFinite(expected) || expected > 1e30) return;
  if (!(Math.abs(outcome.value - expected) <= 1e-9 * expected + 1e-30)) {
    world.fail(`the norm is ${outcome.value}, expected ${expected}`);
  }
};

const sumOfSquares = (array: FloatArray): number => {
  let sum = 0;
  const { buffer, byteOffset } = array;
  if (buffer.byteLength < byteOffset + array.length * array.BYTES_PER_ELEMENT) return 0;
  for (let i = 0; i < array.length; i++) sum += array[i]! * array[i]!;
  return sum;
};

const assign: Call = (world, picks) => {
  const v = picks.oneOf(world.variables);
  if (v === undefined) return;
  const tensors = world.tensors.filter(({ value }) => value.size === v.value.size);
  const values = perhaps(picks, picks.isRare(40) ? (picks.oneOf(tensors)?.value ?? []) : valuesFor(picks, v.value), 8);
  world.call(`${v.key}.assign()`, () => v.value.assign(values as FloatArray), { ranges: world.rangesOf([v.value]) });
};

const write: Call = (world, picks) => {
  const array = picks.oneOf(arraysInReach(world));
  if (array === undefined) return;
  world.effect('writes to an array', () => fill(picks, array));
};

const takeAway: Call = (world, picks) => {
  const array = picks.oneOf(arraysInReach(world).filter(isDetachable));
  if (array === undefined) return;
  world.effect('takes memory away', () => {
    const sent = detach(picks, array);
    if (sent !== null) world.addArray(sent);
  });
};

const resizeOne: Call = (world, picks) => {
  const array = picks.oneOf(arraysInReach(world));
  if (array === undefined) return;
  world.effect('resizes a buffer', () => void resize(picks, array));
};

const dispose: Call = (world, picks) => {
  const held = picks.oneOf([...world.tensors, ...world.slices]);
  if (held === undefined) return;
  const { key, value, family } = held;
  const before = value;
  world.call(`${key}.dispose()`, () => before.dispose(), { keys: [key], families: [family] });
};

/** Variables and optimizers too, where they can be disposed of. */
const disposeOfMore: Call = (world, picks) => {
  const held = picks.oneOf([...world.variables, ...world.optimizers]);
  if (held === undefined || !picks.isRare(30)) return;
  const value = held.value as { dispose?: () => void };
  if (typeof value.dispose !== 'function') return;
  const isOptimizer = 'root' in held;
  const related = isOptimizer ? world.optimizers.filter(({ root }) => root === held.root).map(({ key }) => key) : [];
  const ranges = isOptimizer ? [] : world.rangesOf([held.value]);
  // The slots of a variable go with it.
  const keys = isOptimizer ? related : world.optimizers.flatMap(({ key }) => [`${key}.slots`, `${key}.state `]);
  world.call(`${held.key}.dispose()`, () => value.dispose!(), { keys: [held.key, ...keys], ranges });
};

const keepOne: Call = (world, picks) => {
  const t = picks.oneOf(world.tensors);
  if (t === undefined) return;
  world.call(`keep(${t.key})`, () => keep(perhaps(picks, t.value)));
};

const tidyUp: Call = (world, picks) => {
  const x = picks.oneOf(world.variables);
  if (x === undefined) return;
  const f = hostileFunction(world, picks, () => {
    const y = ops.square(x.value);
    return picks.isRare(30) ? [ops.neg(y), keep(y)] : ops.neg(y);
  });
  const outcome = world.call(`tidy(of ${x.key})`, () => tidy(perhaps(picks, f)));
  if (!('value' in outcome)) return;
  const { value } = outcome;
  const made = value instanceof Tensor ? [value] : safely(() => Array.from(value as unknown[]).slice(0, 2), []);
  for (const t of made) if (t instanceof Tensor) world.add(world.tensors, 't', t as Tensor, family());
};

const compute1: Call = (world, picks) => {
  const x = picks.oneOf([...world.tensors, ...world.variables, ...world.arrays]);
  const y = picks.oneOf([...world.tensors, ...world.variables, ...world.arrays]);
  if (x === undefined || y === undefined) return;
  const [f, g] = [picks.of(unary), picks.of(binary)];
  const kind = picks.below(4);
  const outcome = world.call(`ops ${[f, g, 'gather', 'cross entropy'][kind]!}(${x.key}, ${y.key})`, () => {
    const [a, b] = [perhaps(picks, x.value), perhaps(picks, y.value)];
    if (kind === 0) return ops[f](a);
    if (kind === 1) return ops[g](a, b);
    const labels = Int32Array.from({ length: 1 + picks.below(3) }, () => picks.below(4));
    if (kind === 2) return ops.gather(a, perhaps(picks, labels));
    return ops.sparseSoftmaxCrossEntropyWithLogits(perhaps(picks, labels), a);
  });
  if ('value' in outcome) world.add(world.tensors, 't', outcome.value, family());
};

const draw: Call = (world, picks) => {
  const x = picks.oneOf([...world.tensors, ...world.variables, ...world.arrays]);
  if (x === undefined) return;
  const generator = new RandomGenerator(picks.below(100));
  const kind = picks.of(['uniform', 'normal', 'truncatedNormal', 'dropout', 'categorical', 'shuffle'] as const);
  const outcome = world.call(`random ${kind}(${x.key})`, () => {
    const values = perhaps(picks, x.value);
    const seed = picks.isRare(30) ? { seed: picks.below(5) } : {};
    if (kind === 'dropout')
      return ops.dropout(values, perhaps(picks, { rate: picks.below(10) / 10, generator, ...seed }));
    if (kind === 'categorical') return generator.categorical(values, picks.below(4), perhaps(picks, seed));
    if (kind === 'shuffle') return generator.shuffle(values as Float32Array, perhaps(picks, seed));
    const shape = perhaps(picks, [pickSize(picks)]);
    return generator[kind](shape, perhaps(picks, { dtype: pickDType(picks), ...seed }));
  });
  if ('value' in outcome && outcome.value instanceof Tensor) world.add(world.tensors, 't', outcome.value, family());
};

const slots: Call = (world, picks) => {
  const optimizer = picks.oneOf(world.optimizers);
  if (optimizer === undefined) return;
  const variables = world.variables.filter(() => picks.isRare(40)).map(({ value }) => value);
  const { keys = [] } = changesOf(world, optimizer, [], []);
  world.call(
    `${optimizer.key}.createSlots(${variables.length})`,
    () => optimizer.value.createSlots(perhaps(picks, variables)),
    {
      keys,
    },
  );
};

const slot: Call = (world, picks) => {
  const [optimizer, v] = [picks.oneOf(world.optimizers), picks.oneOf(world.variables)];
  if (optimizer === undefined || v === undefined) return;
  const names = optimizer.value.getSlotNames();
  world.call(`${optimizer.key}.getSlot(${v.key})`, () => {
    return optimizer.value.getSlot(perhaps(picks, v.value), perhaps(picks, picks.oneOf(names) ?? 'momentum'));
  });
};

const makeStep: Call = (world, picks) => {
  const step = picks.oneOf(world.steps);
  if (step === undefined || !picks.isRare(50)) return void world.add(world.steps, 'step', createGlobalStep());
  const value = perhaps(picks, picks.below(10), 20);
  world.call(`${step.key}.value = `, () => (step.value.value = value), { keys: [step.key] });
};

const useAnother: Call = (world, picks) => {
  world.call(
    'runtime',
    () => {
      runtime.useIsa(perhaps(picks, picks.oneOf(runtime.availableIsas) as Isa));
    },
    { keys: ['runtime'] },
  );
  world.call('runtime.threads', () => (runtime.threads = perhaps(picks, 1 + picks.below(4))), { keys: ['runtime'] });
};

const makeAverage: Call = (world, picks) => {
  const step = picks.oneOf(world.steps);
  const decay = perhaps(picks, picks.isRare(30) ? hostileFunction(world, picks, () => 0.5) : 0.9);
  const options = {
    ...(step && picks.isRare(30) && { numUpdates: step.value }),
    ...(picks.isRare(40) && { zeroDebias: true }),
  };
  const made = world.call(
    'new ExponentialMovingAverage',
    () => new ExponentialMovingAverage(decay, perhaps(picks, options)),
  );
  if ('value' in made) world.add(world.averages, 'average', made.value);
};

const average: Call = (world, picks) => {
  const averages = picks.oneOf(world.averages);
  if (averages === undefined) return makeAverage(world, picks);
  const variables: Averaged[] = world.variables.filter(() => picks.isRare(50)).map(({ value }) => value);
  const t = picks.oneOf(world.tensors);
  if (t !== undefined && picks.isRare(40)) variables.push(perhaps(picks, ['a', t.value] as const));
  world.call(`${averages.key}.apply(${variables.length})`, () => averages.value.apply(perhaps(picks, variables)), {
    keys: [averages.key],
  });
};

const moveAverage: Call = (world, picks) => {
  const v = picks.oneOf(world.variables);
  if (v === undefined) return;
  const values = valuesFor(picks, v.value);
  const decay = perhaps(picks, picks.isRare(30) ? hostileFunction(world, picks, () => 0.5) : 0.9);
  const options = perhaps(picks, picks.isRare(50) ? { zeroDebias: false } : {});
  world.call(
    `assignMovingAverage(${v.key})`,
    () => assignMovingAverage(perhaps(picks, v.value), perhaps(picks, values), decay, options),
    { ranges: world.rangesOf([v.value]) },
  );
};

const makeScale: Call = (world, picks) => {
  const options = { initialLossScale: 16, incrementPeriod: 1 + picks.below(2) };
  const made = world.call('new LossScale', () => {
    if (picks.isRare(30)) return new FixedLossScale(perhaps(picks, 4, 20));
    return new DynamicLossScale(perhaps(picks, options));
  });
  if ('value' in made) world.add(world.scales, 'scale', made.value);
};

const updateScale: Call = (world, picks) => {
  const scale = picks.oneOf(world.scales);
  if (scale === undefined) return makeScale(world, picks);
  const { t, word } = pickClippable(world, picks);
  const list = picks.oneOf(world.lists);
  const given = list !== undefined && picks.isRare(50) ? list.value : [t as Gradient];
  world.call(`${scale.key}.update(${word})`, () => scale.value.update(perhaps(picks, given)), {
    keys: world.scaleKeys(),
  });
};

const accumulate: Call = (world, picks) => {
  const accumulator = picks.oneOf(world.accumulators);
  if (accumulator === undefined || picks.isRare(10)) {
    const options = perhaps(picks, { reductionType: picks.isRare(50) ? ('SUM' as const) : ('MEAN' as const) });
    const made = world.call('new GradientAccumulator', () => new GradientAccumulator(options));
    if ('value' in made) world.add(world.accumulators, 'accumulator', made.value);
    return;
  }
  const { key, value } = accumulator;
  if (picks.isRare(30)) {
    const outcome = world.call(`${key}.take()`, () => value.take(), { keys: [key] });
    if ('value' in outcome) addList(world, outcome.value);
    return;
  }
  const pairs = pickPairs(world, picks);
  const outcome = world.call(`${key}.add(${pairs.what})`, () => value.add(pairs.given), { keys: [key] });
  if ('value' in outcome) for (const one of pairs.families) one.isSpent = true;
};

const condition: Call = (world, picks) => {
  const accumulator = picks.oneOf(world.conditionals);
  if (accumulator === undefined || picks.isRare(20)) {
    const size = picks.oneOf(world.variables)?.value.size ?? 3;
    const options = perhaps(picks, picks.isRare(50) ? { shape: [size] } : {});
    const Class = picks.isRare(30) ? SparseConditionalAccumulator : ConditionalAccumulator;
    const made = world.call(`new ${Class.name}`, () => new Class(perhaps(picks, pickDType(picks)), options));
    if ('value' in made) world.add(world.conditionals, 'conditional', made.value);
    return;
  }
  const { key, value } = accumulator;
  if (picks.isRare(30)) {
    const outcome = world.call(`${key}.takeGrad()`, () => value.takeGrad(perhaps(picks, 1)), { keys: [key] });
    if ('value' in outcome) holdClipped(world, outcome.value, []);
    return;
  }
  const isDense = value instanceof ConditionalAccumulator;
  const held = picks.oneOf<{ key: string; value: unknown; family: Family }>(
    isDense ? [...world.tensors, ...world.arrays] : world.slices,
  );
  if (held === undefined) return;
  const gradient = perhaps(picks, held.value) as Tensor & IndexedSlices;
  const outcome = world.call(
    `${key}.applyGrad(${held.key})`,
    () => value.applyGrad(gradient, perhaps(picks, value.globalStep, 10)),
    { keys: [key] },
  );
  if ('value' in outcome) held.family.isSpent = true;
};

const zipping: Call = (world, picks) => {
  const list = picks.oneOf(world.lists);
  if (list === undefined) return;
  world.call(`unzip, zip ${list.key}`, () => {
    const [values, variables] = unzip(perhaps(picks, list.value) as [Gradient, Variable][]);
    return zip(perhaps(picks, values), perhaps(picks, variables));
  });
};

/** Things that have state, in any order; a wrapper's is that of the optimizer inside too. */
function partsOf(world: World, picks: Picks): Part[] {
  const { variables, optimizers, steps, averages, scales, accumulators, conditionals } = world;
  const all = [variables, optimizers, steps, averages, scales, accumulators, conditionals] as const;
  return all.flatMap((kind) => [...kind].filter(() => picks.isRare(40)));
}

const saveState: Call = (world, picks) => {
  const parts = partsOf(world, picks);
  const saved = world.call(`copyState(collectState(${parts.map(({ key }) => key).join()}))`, () => {
    return copyState(
      collectState(
        perhaps(
          picks,
          parts.map(({ value }) => value),
        ),
      ),
    );
  });
  if ('value' in saved) world.add(world.states, 'state', { parts, entries: saved.value });
};

/** An entry that is wrong, in most ways. */
function spoilt(picks: Picks, entry: StateEntry): unknown {
  const { memory } = entry;
  const gone = memory.slice();
  structuredClone(gone.buffer, { transfer: [gone.buffer] });
  const lies = Object.defineProperty(memory.slice(), 'length', { value: 2 ** 20 });
  return picks.of<unknown>([
    nonsense(picks),
    { ...entry, [picks.of(['key', 'dtype', 'shape', 'memory'])]: nonsense(picks) },
    { ...entry, key: `${entry.key}/Adam` },
    { ...entry, shape: [...entry.shape, 2] },
    { ...entry, dtype: picks.of(['float32', 'float64', 'int64']) },
    { ...entry, memory: gone },
    { ...entry, memory: lies },
  ]);
}

/** The entry with a copy of its memory that can be adopted. */
function shared(entry: StateEntry): StateEntry {
  const memory = entry.memory.slice() as Float32Array;
  const Class = memory.constructor as Float32ArrayConstructor;
  const copy = new Class(new SharedArrayBuffer(memory.byteLength));
  copy.set(memory);
  return { ...entry, memory: copy };
}

const restore: Call = (world, picks) => {
  const saved = picks.oneOf(world.states);
  if (saved === undefined) return saveState(world, picks);
  const { entries } = saved.value;
  const parts = picks.isRare(20) ? partsOf(world, picks) : saved.value.parts;
  const given: unknown[] = entries.map(shared);
  const isSpoilt = picks.isRare(30) && given.length > 0;
  if (isSpoilt) {
    const at = picks.below(given.length);
    const kind = picks.below(3);
    if (kind === 0) given.splice(at, 1);
    else if (kind === 1) given.push(given[at]);
    else given[at] = spoilt(picks, entries[at]!);
  }
  const values = parts.map(({ value }) => value);
  const variables = world.variables.map(({ value }) => value);
  const adopt = picks.isRare(30);
  const options = perhaps(picks, { ...(picks.isRare(70) && { variables }), ...(adopt && { adopt }) }, 2);
  const own = parts.flatMap(({ value }) => (value instanceof Variable ? [value] : []));
  const optimizers = parts.filter((part): part is HeldOptimizer => 'root' in part);
  const changes = optimizers.flatMap((optimizer) => changesOf(world, optimizer, [], []).keys ?? []);
  const replicas = optimizers.flatMap(({ also }) => also);
  const into = perhaps(picks, values, 2);
  const restored = world.call(
    `restoreState(${parts.map(({ key }) => key).join()}, ${saved.key}, ${adopt ? 'adopt' : 'copy'})`,
    () => restoreState(into, perhaps(picks, given, 2) as StateEntry[], options),
    {
      ranges: world.rangesOf(own),
      keys: [...changes, ...replicas, ...parts.map(({ key }) => key), ...world.scaleKeys()],
    },
  );
  if (!('value' in restored) || isSpoilt || into !== values || parts !== saved.value.parts) return;
  const again = world.call(`collectState again`, () => collectState(values));
  if ('value' in again && !isSameState(again.value, entries)) world.fail('what was restored is another state');
};

/** Whether both hold the same numbers; which NaN is not promised. */
function isSameState(a: readonly StateEntry[], b: readonly StateEntry[]): boolean {
  const sorted = [...b].sort((x, y) => (x.key < y.key ? -1 : 1));
  return a.length === b.length && a.every((one, i) => isSameEntry(one, sorted[i]!));
}

function isSameEntry(a: StateEntry, b: StateEntry): boolean {
  if (a.key !== b.key || a.dtype !== b.dtype || a.shape.join() !== b.shape.join()) return false;
  return Array.from<number | bigint>(a.memory).every((value, i) => Object.is(value, b.memory[i]));
}

/** All calls by name, with how often each is made beside the others. */
export const calls: Readonly<Record<string, readonly [Call, number]>> = {
  makeVariable: [makeVariable, 5],
  holdArray: [holdArray, 2],
  makeTensor: [makeTensor, 2],
  makeSlices: [makeSlices, 1],
  toDense: [toDense, 1],
  makeOptimizer: [makeOptimizer, 5],
  wrapOptimizer: [wrapOptimizer, 1],
  apply: [apply, 12],
  compute: [compute, 4],
  minimize: [minimize, 3],
  differentiate: [differentiate, 1],
  clipOne: [clipOne, 3],
  clipMany: [clipMany, 3],
  norm: [norm, 1],
  assign: [assign, 1],
  write: [write, 1],
  takeAway: [takeAway, 1],
  resizeOne: [resizeOne, 1],
  dispose: [dispose, 1],
  disposeOfMore: [disposeOfMore, 1],
  keepOne: [keepOne, 1],
  tidyUp: [tidyUp, 1],
  ops: [compute1, 2],
  draw: [draw, 2],
  slots: [slots, 1],
  slot: [slot, 1],
  makeStep: [makeStep, 1],
  useAnother: [useAnother, 1],
  makeAverage: [makeAverage, 1],
  average: [average, 1],
  moveAverage: [moveAverage, 1],
  makeScale: [makeScale, 1],
  updateScale: [updateScale, 1],
  accumulate: [accumulate, 3],
  condition: [condition, 2],
  zipping: [zipping, 1],
  saveState: [saveState, 2],
  restore: [restore, 3],
};
