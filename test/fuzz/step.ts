import type { Variable } from 'gradstep';
import { IndexedSlices, Tensor, tensor, type FloatArray, type GradientAndVariable } from 'gradstep';
import { hostileIterable, hostilePair } from './effects';
import { fill, makeArray, overlaps, rangeOf, shifted } from './memory';
import { nonsense } from './nonsense';
import type { Picks } from './picks';
import type { Family } from './snapshot';
import { safely, type HeldOptimizer, type World } from './world';

type Gradient = GradientAndVariable[0];

export const isFloatArray = (value: unknown): value is FloatArray =>
  value instanceof Float32Array || value instanceof Float64Array;

/** A list of pairs for a step, with what is known of it. */
export interface Pairs {
  readonly given: Iterable<GradientAndVariable>;
  readonly pairs: readonly GradientAndVariable[];
  readonly what: string;
  readonly families: readonly Family[];
  /** The variables that have a gradient. */
  readonly stepped: readonly Variable[];
  /** Whether the pairs are just that: no getters, no nonsense. */
  readonly isPlain: boolean;
}

/** Pairs for a step: what gradients were computed, or new ones of all kinds for some variables. */
export function pickPairs(world: World, picks: Picks): Pairs {
  const list = picks.oneOf(world.lists);
  if (list !== undefined && picks.isRare(35)) {
    return {
      given: list.value,
      pairs: list.value,
      what: list.key,
      families: list.families,
      stepped: steppedOf(list.value),
      isPlain: true,
    };
  }
  const pairs: GradientAndVariable[] = [];
  const families: Family[] = [];
  const words: string[] = [];
  const stepped: Variable[] = [];
  let isPlain = true;
  const count = 1 + picks.below(4);
  const rest = [...world.variables];
  for (let i = 0; i < count && rest.length > 0; i++) {
    const at = rest.length - 1 - picks.below(rest.length);
    const v = rest[at]!;
    if (!picks.isRare(2)) rest.splice(at, 1);
    const { gradient, word, family } = pickGradient(world, picks, v.value);
    if (family !== undefined) families.push(family);
    if (gradient !== null) stepped.push(v.value);
    let pair: GradientAndVariable = [gradient, v.value];
    if (picks.isRare(3)) [pair, isPlain] = [hostilePair(world, picks, pair), false];
    else if (picks.isRare(2)) [pair, isPlain] = [nonsense(picks) as GradientAndVariable, false];
    pairs.push(pair);
    words.push(`[${word}, ${v.key}]`);
  }
  // A getter may exchange what is read after it.
  if (!isPlain) stepped.push(...world.variables.map(({ value }) => value));
  const what = `[${words.join(', ')}]`;
  if (picks.isRare(5)) {
    return { given: hostileIterable(world, picks, pairs), pairs, what: `iterable ${what}`, families, stepped, isPlain };
  }
  if (picks.isRare(5)) return { given: new Set(pairs), pairs, what: `Set ${what}`, families, stepped, isPlain };
  if (picks.isRare(2)) {
    return { given: nonsense(picks) as [], pairs: [], what: 'nonsense', families, stepped, isPlain: false };
  }
  return { given: pairs, pairs: isPlain ? pairs.slice() : pairs, what, families, stepped, isPlain };
}

const steppedOf = (pairs: readonly GradientAndVariable[]): Variable[] =>
  pairs.filter(([gradient]) => gradient !== null).map(([, v]) => v);

interface Picked {
  readonly gradient: Gradient;
  readonly word: string;
  readonly family?: Family | undefined;
}

type PickGradient = (world: World, picks: Picks, v: Variable) => Picked;

const fresh: PickGradient = (_, picks, { dtype, size }) => ({ gradient: makeArray(picks, dtype, size), word: 'new' });

const held: PickGradient = (world, picks, v) => {
  const fits = [...world.arrays, ...world.tensors, ...world.slices].filter(({ value }) => {
    return isFloatArray(value) ? value.length === v.size : value instanceof IndexedSlices || value.size === v.size;
  });
  const { value, key, family } = picks.oneOf(fits) ?? {};
  return value === undefined ? fresh(world, picks, v) : { gradient: value, word: key!, family };
};

const sparse: PickGradient = (_, picks, { dtype, shape }) => {
  const [rows = 1, ...row] = shape;
  const columns = row.reduce((product, dim) => product * dim, 1);
  const n = picks.below(4);
  const outside = picks.isRare(5) ? 1 : 0;
  const indices = Int32Array.from(
    { length: n },
    () => picks.below(Math.max(rows + outside, 1)) - outside * picks.below(2),
  );
  const isShared = picks.isRare(20);
  const kept = isShared ? new Int32Array(new SharedArrayBuffer(4 * n)) : indices;
  kept.set(indices);
  const values = tensor(makeArray(picks, dtype, n * columns), [n, ...row]);
  return { gradient: new IndexedSlices(values, kept, shape), word: `rows ${indices.join()}` };
};

const kinds: readonly [PickGradient, ...PickGradient[]] = [
  fresh,
  fresh,
  fresh,
  fresh,
  held,
  held,
  held,
  sparse,
  sparse,
  () => ({ gradient: null, word: 'null' }),
  (_, picks, { dtype, size, shape }) => ({ gradient: tensor(makeArray(picks, dtype, size), shape), word: 'tensor' }),
  (_world, _picks, v) => ({ gradient: safely(() => v.data, null), word: 'itself' }),
];

const wrong: readonly [PickGradient, ...PickGradient[]] = [
  (_, picks) => ({ gradient: nonsense(picks) as null, word: 'nonsense' }),
  (_, picks, v) => ({ gradient: safely(() => shifted(picks, v.data), null), word: 'shifted' }),
  (_, picks, v) => ({ gradient: safely(() => shifted(picks, v.data), null), word: 'shifted' }),
  (_, picks, { dtype, size }) => ({ gradient: makeArray(picks, dtype, size + 1), word: 'too long' }),
  (_, picks, { dtype, size }) => {
    const other = dtype === 'float32' ? 'float64' : 'float32';
    return { gradient: makeArray(picks, other, size), word: 'of another dtype' };
  },
  (world, picks, v) => {
    const other = picks.oneOf(world.variables)?.value ?? v;
    return { gradient: other as unknown as Tensor, word: 'a variable' };
  },
];

function pickGradient(world: World, picks: Picks, v: Variable): Picked {
  const picked = picks.isRare(8) ? picks.of(wrong)(world, picks, v) : picks.of(kinds)(world, picks, v);
  if (isFloatArray(picked.gradient) && picks.isRare(30)) world.addArray(picked.gradient);
  return picked;
}

/** The memory of a gradient's values, where there is any. */
function memoryOf(gradient: Gradient): ReturnType<typeof rangeOf> | undefined {
  return safely(() => {
    if (gradient === null) return undefined;
    if (isFloatArray(gradient)) return rangeOf(gradient);
    return rangeOf(gradient instanceof IndexedSlices ? gradient.values.data : gradient.data);
  }, undefined);
}

/** Why a step with these pairs must be refused; undefined where nothing is known to be wrong. */
export function reasonToRefuse({ pairs, isPlain }: Pairs): string | undefined {
  if (!isPlain) return undefined;
  const stepped = pairs.filter(([gradient]) => gradient !== null);
  if (stepped.length === 0) return 'there is no gradient';
  const places: ReturnType<typeof rangeOf>[] = [];
  for (const [gradient, v] of stepped) {
    const place = safely(() => rangeOf(v.data), undefined);
    if (place === undefined || place.buffer.byteLength < place.end) return `memory of '${v.name}' is gone`;
    if (places.some((other) => overlaps(other, place))) return `'${v.name}' overlaps another variable`;
    places.push(place);
    const memory = memoryOf(gradient);
    if (memory === undefined || memory.buffer.byteLength < memory.end) return `gradient of '${v.name}' is gone`;
    const isDense = !(gradient instanceof IndexedSlices);
    if (isDense && overlaps(memory, place) && memory.start !== place.start) return 'a gradient overlaps its variable';
    if (isFloatArray(gradient)) {
      const size = (memory.end - memory.start) / gradient.BYTES_PER_ELEMENT; // whatever its length says
      if (size !== v.size) return `gradient of '${v.name}' has another size`;
      if (gradient instanceof Float32Array !== (v.dtype === 'float32')) return 'another dtype';
    } else if (gradient instanceof IndexedSlices) {
      const rows = v.shape[0] ?? 0;
      if (gradient.indices.some((index) => index < 0 || index >= rows)) return 'an index is out of range';
    } else if (gradient instanceof Tensor && gradient.shape.join() !== v.shape.join()) {
      return `gradient of '${v.name}' has another shape`;
    }
  }
  return undefined;
}

/** Looks after a step whether variables are where plain numbers say; what they were has to be noted before. */
export function plainStep(optimizer: HeldOptimizer, { pairs, isPlain }: Pairs): (() => string | undefined) | undefined {
  const { rule } = optimizer;
  if (rule === undefined || !isPlain) return undefined;
  const expected = safely(() => pairs.flatMap((pair) => expectedOf(optimizer, pair, pairs)), undefined);
  return expected && (() => expected.map((check) => check()).find((fault) => fault !== undefined));
}

function expectedOf(
  { rule, value: optimizer }: HeldOptimizer,
  [gradient, v]: GradientAndVariable,
  pairs: readonly GradientAndVariable[],
): (() => string | undefined)[] {
  if (gradient === null || v.size > 5000) return [];
  const memory = memoryOf(gradient);
  const isOthers = pairs.some(([, other]) => other !== v && memory && overlaps(rangeOf(other.data), memory));
  if (isOthers) return []; // it may be written before it is read
  const { learningRate, momentum } = rule!;
  const values = Float64Array.from(v.data);
  const slot =
    momentum === null ? undefined : Float64Array.from(optimizer.getSlot(v, 'momentum')?.data ?? values.map(() => 0));
  const magnitude = values.map(Math.abs);
  const move = (i: number, g: number, isLast = true): void => {
    let change = g;
    if (slot !== undefined) change = slot[i] = slot[i]! * momentum! + g;
    if (!isLast) return;
    values[i]! -= learningRate * change;
    magnitude[i]! += Math.abs(learningRate * change) + Math.abs(learningRate * g);
  };
  if (gradient instanceof IndexedSlices) {
    const rows = new Map<number, Float64Array>();
    const { data, size } = gradient.values;
    const columns = gradient.indices.length === 0 ? 0 : size / gradient.indices.length;
    gradient.indices.forEach((row, k) => {
      const sum = rows.get(row) ?? new Float64Array(columns);
      for (let c = 0; c < columns; c++) {
        sum[c]! += data[k * columns + c]!;
        magnitude[row * columns + c]! += Math.abs(learningRate * data[k * columns + c]!);
      }
      rows.set(row, sum);
    });
    for (const [row, sum] of rows) sum.forEach((g, c) => move(row * columns + c, g));
  } else {
    const data = isFloatArray(gradient) ? gradient : gradient.data;
    Float64Array.from(data).forEach((g, i) => move(i, g));
  }
  const tolerance = v.dtype === 'float32' ? 1e-6 : 1e-14;
  return [
    () => {
      const { data } = v;
      const at = values.findIndex((x, i) => {
        const error = Math.abs(data[i]! - x);
        return Number.isFinite(x) && Math.abs(x) < 1e37 && !(error <= tolerance * magnitude[i]! + 1e-38);
      });
      return at < 0 ? undefined : `'${v.name}'[${at}] is ${data[at]}, expected ${values[at]}`;
    },
  ];
}

/** A new array that holds something, for an assignment. */
export function valuesFor(picks: Picks, v: Variable): FloatArray {
  const values = v.dtype === 'float32' ? new Float32Array(v.size) : new Float64Array(v.size);
  fill(picks, values);
  return values;
}
