import { IndexedSlices, ops, runtime, Tensor, Variable, type FloatArray, type GradientAndVariable } from 'gradstep';
import { detach, fill, isDetachable, makeArray, pickDType, pickSize, resize } from './memory';
import { Mine, nonsense } from './nonsense';
import type { Picks } from './picks';
import { safely, type World } from './world';

type Effect = (world: World, picks: Picks) => void;

/** Arrays that a user can get hold of: their own, and the library's. */
export function arraysInReach(world: World): FloatArray[] {
  const gradients = world.lists.flatMap(({ value }) => value.map(([gradient]) => gradient));
  const all = [...world.variables, ...world.tensors, ...world.slices, ...world.arrays].map(({ value }) => value);
  return [...gradients, ...all].flatMap((value) => safely(() => arrayOf(value), []));
}

function arrayOf(value: Variable | GradientAndVariable[0]): FloatArray[] {
  if (value === null) return [];
  if (value instanceof IndexedSlices) return [value.values.data];
  return [value instanceof Tensor || value instanceof Variable ? value.data : value];
}

function takeAway(world: World, picks: Picks): void {
  const array = picks.oneOf(arraysInReach(world).filter(isDetachable));
  if (array === undefined) return;
  world.effect('takes memory away', () => {
    const sent = detach(picks, array);
    if (sent !== null) world.addArray(sent);
  });
}

function resizeSome(world: World, picks: Picks): void {
  const array = picks.oneOf(world.arrays);
  if (array === undefined) return;
  world.effect(`resizes ${array.key}`, () => resize(picks, array.value));
}

function stepWithin(world: World, picks: Picks): void {
  const optimizer = picks.oneOf(world.optimizers);
  const v = picks.oneOf(world.variables);
  if (optimizer === undefined || v === undefined) return;
  const roots = world.optimizers.filter(({ root }) => root === optimizer.root);
  const keys = [...roots.map(({ key }) => `${key}.`), ...optimizer.also, ...world.scaleKeys()];
  const replicas = world.replicas.find(({ value }) => value === optimizer.value);
  const all = replicas === undefined ? [v.value] : world.variables.map(({ value }) => value);
  if (replicas !== undefined) keys.push(replicas.key);
  const allowed = { ranges: world.rangesOf(all), keys };
  world.effect(
    'steps',
    () => {
      const gradient = v.value.dtype === 'float32' ? new Float32Array(v.value.size) : new Float64Array(v.value.size);
      fill(picks, gradient);
      const step = (): void => void optimizer.value.applyGradients([[gradient, v.value]]);
      const outcome = world.call(`${optimizer.key}.applyGradients([[new, ${v.key}]])`, step, allowed);
      if ('error' in outcome && picks.isRare(50)) throw outcome.error;
    },
    true,
  );
}

function differentiateWithin(world: World, picks: Picks): void {
  const optimizer = picks.oneOf(world.optimizers);
  const v = picks.oneOf(world.variables);
  if (optimizer === undefined || v === undefined) return;
  world.effect('computes gradients', () => {
    const compute = (): unknown => optimizer.value.computeGradients(() => ops.l2Loss(v.value));
    const allowed = { retires: true };
    const outcome = world.call(`${optimizer.key}.computeGradients(l2Loss(${v.key}))`, compute, allowed, allowed);
    if ('error' in outcome && picks.isRare(50)) throw outcome.error;
  });
}

function mutatePairs(world: World, picks: Picks): void {
  const pairs = world.pairsInUse.at(-1);
  if (pairs === undefined) return;
  const mutations: readonly [() => void, ...(() => void)[]] = [
    () => pairs.reverse(),
    () => (pairs.length = 0),
    () => pairs.pop(),
    () => {
      const v = picks.oneOf(world.variables)?.value;
      if (v !== undefined) pairs.push([new Float32Array(v.size), v]);
    },
    () => {
      const pair: unknown = pairs[0];
      if (Array.isArray(pair)) Reflect.set(pair, picks.below(2), null);
    },
    () => {
      const pair: unknown = pairs.at(-1);
      if (Array.isArray(pair)) Reflect.set(pair, 1, picks.oneOf(world.variables)?.value);
    },
  ];
  world.effect('changes the list of pairs', picks.of(mutations));
}

function disposeSome(world: World, picks: Picks): void {
  const tensor = picks.oneOf(world.tensors);
  if (tensor === undefined) return;
  world.effect(`disposes of ${tensor.key}`, () => tensor.value.dispose());
}

function writeSome(world: World, picks: Picks): void {
  const v = picks.oneOf(world.variables);
  if (v === undefined) return;
  const change = (): void =>
    fill(
      picks,
      safely(() => v.value.data, new Float32Array(0)),
    );
  world.effect(`writes to ${v.key}`, change, true);
}

function useAnother(world: World, picks: Picks): void {
  world.effect('changes the instruction set and the number of threads', () => {
    runtime.useIsa(picks.oneOf(runtime.availableIsas)!);
    runtime.threads = 1 + picks.below(3);
  });
}

function makeGarbage(world: World, picks: Picks): void {
  world.effect('allocates', () => {
    for (let i = 0; i < 20; i++) makeArray(picks, pickDType(picks), pickSize(picks));
    const v = picks.oneOf(world.variables)?.value;
    for (let i = 0; v !== undefined && i < 20; i++) new Float32Array(v.size).fill(12345);
  });
}

const throwMine: Effect = () => {
  throw new Mine('mine');
};

const effects: readonly [Effect, ...Effect[]] = [
  throwMine,
  takeAway,
  takeAway,
  resizeSome,
  stepWithin,
  differentiateWithin,
  mutatePairs,
  disposeSome,
  writeSome,
  useAnother,
  makeGarbage,
];

/** Does something that a user's function should not do, or may do but hardly ever does. */
export function misbehave(world: World, picks: Picks): void {
  if (world.depth > 2) return;
  picks.of(effects)(world, picks);
}

/** A function that misbehaves in some of its calls, and mostly returns what it should. */
export function hostileFunction<A extends unknown[], T>(
  world: World,
  picks: Picks,
  plain: (...args: A) => T,
): (...args: A) => T {
  const own = picks.fork();
  return (...args) => {
    if (own.isRare(40)) misbehave(world, own);
    return own.isRare(10) ? (nonsense(own) as T) : plain(...args);
  };
}

/** A pair whose elements are getters that misbehave. */
export function hostilePair(world: World, picks: Picks, pair: GradientAndVariable): GradientAndVariable {
  const hostile = [...pair];
  for (const i of [0, 1] as const) {
    const get = hostileFunction(world, picks, () => pair[i]);
    if (picks.isRare(50)) Object.defineProperty(hostile, i, { get });
  }
  return hostile as unknown as GradientAndVariable;
}

/** The same pairs, in what else can be iterated. */
export function hostileIterable(
  world: World,
  picks: Picks,
  pairs: readonly GradientAndVariable[],
): Iterable<GradientAndVariable> {
  const own = picks.fork();
  return (function* () {
    for (const pair of pairs) {
      if (own.isRare(20)) misbehave(world, own);
      yield pair;
    }
  })();
}
