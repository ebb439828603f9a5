import { formatNumber, native, placeNumber, programClips, taskKind, type Program, type ProgramClip } from '../native';
import { bytesPerElement } from '../tensor/arrays';
import type { TensorDType } from '../tensor/dtype';
import { place } from './arena';
import { rectifiedPools } from './rectified-pools';
import type { Recorder } from './recorder';
import { sendsOf, writeSends, type ProgramExchange, type Sendable } from './sends';
import { refsOf, type IndexList, type Ref, type Task, type Value } from './values';

/** A gradient that a program computes. */
export interface ProgramGradient {
  readonly ref: Ref;
  readonly length: number;
  /** Of a sparse one: which rows it has, and the rows and row elements of the whole. */
  readonly rows: { readonly list: IndexList; readonly count: number; readonly elements: number } | null;
}

/** What becomes of a program's gradients. */
export interface Tail {
  readonly gradients: readonly ProgramGradient[];
  readonly clip: { readonly kind: ProgramClip; readonly by: number };
  readonly accumulates: boolean;
  readonly checksFinite: boolean;
  readonly hasStep: boolean;
  /** Null where the gradients are this rank's alone. */
  readonly exchange: ProgramExchange | null;
}

/** Of a program without a step. */
export const noTail: Tail = {
  gradients: [],
  clip: { kind: 'none', by: 0 },
  accumulates: false,
  checksFinite: false,
  hasStep: false,
  exchange: null,
};

/** Memory that comes with each run, in this order. */
export interface Place {
  readonly value: Value;
  /** How far the next repetition starts behind one, in bytes. */
  readonly stride: number;
  /** Whether it is an array that is given, else it is located. */
  readonly isGiven: boolean;
}

export interface Parts {
  readonly recorder: Recorder;
  readonly repetitions: number;
  readonly places: readonly Place[];
  /** How many of the recorder's tasks come before the update. */
  readonly before: number;
  /** What must be there after all tasks that come before the update. */
  readonly results: readonly Ref[];
  readonly loss: Ref | null;
  readonly lossLength: number;
  readonly tail: Tail;
}

/** A program that is ready to run. */
export interface Planned {
  readonly program: Program;
  /** The places that it has, of those given. */
  readonly places: readonly Place[];
  /** The lists that are given with each run. */
  readonly lists: readonly IndexList[];
}

/** Places every buffer, leaves out what nobody needs, and hands the program over. */
export function plan(parts: Parts): Planned {
  const { recorder, tail, repetitions } = parts;
  const needed = rectifiedPools(neededTasks(parts), resultsOf(parts));
  const before = needed.filter(({ at }) => at < parts.before).map(({ task }) => task);
  const after = needed.filter(({ at }) => at >= parts.before).map(({ task }) => task);
  const values = new Set<Value>();
  const touch = (ref: Ref, position: number): void => {
    ref.value.touch(position);
    values.add(ref.value);
  };
  before.forEach((task, i) => refsOf(task).forEach((ref) => touch(ref, i)));
  const update = before.length;
  after.forEach((task, i) => refsOf(task).forEach((ref) => touch(ref, update + 1 + i)));
  for (const ref of [...resultsOf(parts), ...(tail.exchange?.shards?.wholes ?? [])]) touch(ref, update);
  const sums = tail.gradients.map((gradient) => sumsOf(gradient, tail, repetitions, recorder));
  for (const { whole, sorted } of sums) {
    for (const value of [whole, sorted]) {
      if (value === null) continue;
      if (tail.accumulates) touch({ value, offset: 0 }, -1);
      touch({ value, offset: 0 }, update);
    }
  }
  const sends = sendsOf(tail, sendableOf(parts, sums), before, recorder);
  for (const { place: at, ready } of sends) {
    if (at !== null) keep(at, ready, update, values);
  }
  const places = parts.places.filter(({ value }) => values.has(value));
  places.forEach(({ value }, i) => (value.place = i + 1));
  for (const { value } of recorder.constants) {
    if (!values.has(value)) continue;
    value.touch(-1);
    value.touch(update + 1 + after.length);
  }
  const inArena = [...values].filter(({ place: at }) => at === 0);
  const arenaBytes = place(inArena);
  const lists = recorder.lists.filter(({ isNeeded }) => isNeeded);
  lists.forEach((list, i) => (list.number = i));

  const table: number[] = [arenaBytes, repetitions, recorder.draws.length, places.length];
  for (const { value, stride, isGiven } of places) {
    table.push(value.bytes, stride, Number(isGiven), placeNumber[value.dtype]);
  }
  table.push(lists.length);
  for (const { length, stride, limit, parts: of } of lists) {
    table.push(length, stride, limit, of.length, ...of.map(({ number }) => number));
  }
  const constants = recorder.constants.filter(({ value }) => values.has(value));
  table.push(constants.length);
  for (const { value, array } of constants) {
    table.push(formatNumber[value.dtype], value.offset, array.length, ...array);
  }
  for (const tasks of [before, after]) {
    table.push(tasks.length);
    for (const task of tasks) writeTask(table, task);
  }
  writeTail(table, parts, sums);
  writeSends(table, tail, sends);
  const program = native.makeProgram(Float64Array.from(table));
  return { program, places, lists: lists.filter(({ parts: of }) => of.length === 0) };
}

const resultsOf = ({ results, loss, tail }: Parts): Ref[] => [
  ...results,
  ...(loss === null ? [] : [loss]),
  ...tail.gradients.map(({ ref }) => ref),
];

/** The tasks that something comes of, in order. */
function neededTasks(parts: Parts): { readonly task: Task; readonly at: number }[] {
  for (const { value } of resultsOf(parts)) value.isNeeded = true;
  const { tasks } = parts.recorder;
  const needed: { task: Task; at: number }[] = [];
  for (let at = tasks.length - 1; at >= 0; at--) {
    const task = tasks[at]!;
    const written = task.arrays.slice(0, task.writes);
    // What is elsewhere and written is a variable.
    if (!written.some((ref) => ref !== null && (ref.value.isNeeded || ref.value.where === 'elsewhere'))) continue;
    for (const { value } of refsOf(task)) value.isNeeded = true;
    needed.push({ task, at });
  }
  return needed.reverse();
}

interface Sums {
  readonly whole: Value | null;
  readonly sorted: Value | null;
}

/** Where a gradient is summed over repetitions, or made dense. */
function sumsOf({ ref, length, rows }: ProgramGradient, tail: Tail, repetitions: number, recorder: Recorder): Sums {
  const { dtype } = ref.value;
  const isDenseLater = tail.clip.kind === 'averageNorm';
  if (rows === null) return { whole: tail.accumulates ? recorder.value(dtype, length) : null, sorted: null };
  const summed = Math.min(rows.list.length * repetitions, rows.count);
  const wholeRows = isDenseLater ? rows.count : summed;
  const needsWhole = isDenseLater || tail.accumulates;
  return {
    whole: needsWhole ? recorder.value(dtype, wholeRows * rows.elements) : null,
    sorted: tail.accumulates ? recorder.value(dtype, summed * rows.elements) : null,
  };
}

/** Which gradients can be computed where they are sent: nobody else reads what they are all of. */
function sendableOf({ tail, loss, results }: Parts, sums: readonly Sums[]): Sendable[] {
  const owns = tail.gradients.map(({ ref }, i) => (tail.accumulates ? sums[i]!.whole! : ref.value));
  const others = [...results, ...(loss === null ? [] : [loss])].map(({ value }) => value);
  const isRead = (own: Value): boolean => others.includes(own) || owns.indexOf(own) !== owns.lastIndexOf(own);
  return tail.gradients.map(({ length, rows }, i): Sendable => {
    const own = owns[i]!;
    const isOwn = rows === null && own.where === 'arena' && own.length === length && !isRead(own);
    return { own: isOwn ? own : null };
  });
}

/** The place of what is sent is there as soon as one of its parts, and until the update. */
function keep(at: Value, ready: number, update: number, values: Set<Value>): void {
  at.touch(Math.max(0, ready - 1));
  at.touch(update);
  for (const { within, first } of values) if (within?.value === at) at.touch(first);
  values.add(at);
}

const operand = (ref: Ref | null): [place: number, offset: number] => {
  if (ref === null) return [0, 0];
  const { value, offset } = ref;
  return [value.place, (value.place === 0 ? value.offset : 0) + offset];
};

function writeTask(table: number[], { kind, dtype, option, arrays, sizes, numbers, items, terms, list }: Task): void {
  table.push(taskKind[kind], formatNumber[dtype], option);
  for (const ref of arrays) table.push(...operand(ref));
  table.push(...sizes, ...numbers);
  const own = list === null ? [...items, ...terms.flatMap(operand)] : [list.number];
  table.push(own.length, ...own);
}

function writeTail(table: number[], { loss, lossLength, tail }: Parts, sums: readonly Sums[]): void {
  const dtype: TensorDType = loss?.value.dtype ?? 'float32';
  table.push(formatNumber[dtype], ...operand(loss), lossLength);
  table.push(Number(tail.accumulates), programClips.indexOf(tail.clip.kind), tail.clip.by);
  table.push(Number(tail.checksFinite), Number(tail.hasStep), tail.gradients.length);
  tail.gradients.forEach(({ ref, length, rows }, i) => {
    table.push(formatNumber[ref.value.dtype], ...operand(ref), length, rows === null ? 0 : 1);
    if (rows !== null) table.push(rows.list.number, rows.count, rows.elements);
    const { whole, sorted } = sums[i]!;
    table.push(...[whole, sorted].flatMap((value) => operand(value && { value, offset: 0 })));
  });
}

/** How many bytes so many elements take. */
export const bytesOf = (dtype: TensorDType, length: number): number => length * bytesPerElement[dtype];
