import * as gradstep from 'gradstep';
import { runtime, Variable } from 'gradstep';
import { formatNumber, native, type Rule } from '../../lib/native';
import { Column, SlotColumn, StepLayout } from '../../lib/step/step-table';
import type { Bench, Case, Sides } from '../bench';
import { fillNumbers, shared, showCount } from '../data';
import { timed } from '../harness';
import { plainRules } from '../peers/plain-js';
import { hyper, optimizers } from '../rules';
import type { Side } from '../sides';
import { arithmetic, bytesPerParameter, limitLoop, type Arrays } from '../traffic';

/** The kernel with as little as possible around it. */
function kernelStep(rule: Rule, arrays: Arrays): () => void {
  const [g, w, ...s] = arrays;
  const layout = new StepLayout(rule, 1, 1);
  const table = layout.newTable(false);
  const row = layout.rowOf(0);
  table[row + Column.Length] = w!.length;
  table[row + Column.RowElements] = 1;
  table[row + Column.GradientFormat] = formatNumber.float32;
  table[row + Column.ParameterFormat] = formatNumber.float32;
  table[row + Column.Parameter] = native.addressOf(w!);
  rule.slots.forEach((_, k) => {
    table[layout.slotOf(0, k) + SlotColumn.Format] = formatNumber.float32;
    table[layout.slotOf(0, k) + SlotColumn.Address] = native.addressOf(s[k]!);
  });
  const step = layout.newLaidOut();
  native.layOutStep(step, table);
  layout.hyperIn(step)[0]!.set(rule.hyper.map((name) => hyper[name]!));
  layout.inputsIn(step).set([1, native.addressOf(g!)]);
  // With the arrays: the addresses alone would not keep them alive.
  return Object.assign(() => native.runLaidOutStep(step), { arrays });
}

/** Sets all arrays to where a contest starts: slots above zero, as accumulators of squares are. */
function reset(arrays: Arrays): void {
  arrays.forEach((array, i) => fillNumbers(array, 5 + 2 * i, i === 0 ? 1 : 2 ** -4));
}

/** Whether the kernel computes what the plain loop does, in all its arrays. */
async function agrees(bench: Bench, rule: Rule): Promise<boolean> {
  const length = 1000;
  const make = (): Float32Array[] => Array.from({ length: 2 + rule.slots.length }, () => shared(length));
  const [ours, plain] = [make(), make()];
  reset(ours);
  reset(plain);
  const loop = plainRules[rule.name];
  if (loop === undefined) throw new Error(`bench/peers/plain-js.ts has no rule '${rule.name}'`);
  const [g, w, ...slots] = plain as [Float32Array, Float32Array];
  const values = rule.hyper.map((name) => hyper[name]!);
  const all = (arrays: Arrays): number[] => arrays.flatMap((array) => [...array]);
  return bench.agree(
    `rules ${rule.name}`,
    [
      { ...timed('gradstep', kernelStep(rule, ours)), result: () => all(ours) },
      { ...timed('plain JavaScript', () => loop(w, g, slots, values)), result: () => all(plain) },
    ],
    { tolerance: 1e-4, scale: 0.01 },
  );
}

/** What people call, and the arrays it works on: it makes its own slots. */
function applyGradients(
  [className, options]: readonly [className: string, options: object],
  [g, w]: Arrays,
): { step: () => void; used: Arrays } {
  type Constructor = new (options: object) => gradstep.Optimizer;
  const Optimizer = (gradstep as unknown as Record<string, Constructor>)[className]!;
  const optimizer = new Optimizer({ learningRate: 2 ** -10, ...options });
  const variable = Variable.over(w!);
  const pairs = [[g!, variable] as const];
  optimizer.applyGradients(pairs);
  const slots = optimizer.getSlotNames().map((name) => optimizer.getSlot(variable, name)!.data as Float32Array);
  return { step: () => optimizer.applyGradients(pairs), used: [g!, w!, ...slots] };
}

async function benchRule(bench: Bench, rule: Rule, arrays: Arrays, sizes: readonly number[]): Promise<void> {
  if (!(await agrees(bench, rule))) return;
  const limitSide = (arrays: Arrays): Side => timed('limit', limitLoop(rule, arrays, 1));
  for (const n of sizes) {
    const fresh = (): Float32Array[] => {
      const part = arrays.map((array) => array.subarray(0, n));
      reset(part);
      return part;
    };
    const small = (length: number): Float32Array[] => {
      const part = arrays.map(() => shared(length));
      reset(part);
      return part;
    };
    const computing = (): Side => arithmetic((length) => kernelStep(rule, small(length)), n, 1);
    const kernel = (): Sides => {
      const part = fresh();
      return [timed('gradstep', kernelStep(rule, part)), limitSide(part), computing()];
    };
    const optimizer = optimizers[rule.name] ?? null;
    const apply = (): Sides => {
      const { step, used } = applyGradients(optimizer!, fresh());
      return [timed('gradstep', step), limitSide(used), computing()];
    };
    const work = { parameters: n, bytes: n * bytesPerParameter(rule) };
    const goal = (atLeast: number) => [{ against: 'limit', or: 'arithmetic', atLeast }];
    const id = (what: string): string => `rules ${rule.name} ${what}, ${showCount(n)} parameters`;
    const goals = n >= 2 ** 16 ? goal(0.95) : [];
    await bench.contest(id('kernel'), kernel, { work, goals });
    if (optimizer !== null) await bench.contest(id('applyGradients'), apply, { work, goals });
  }
}

export const rules: Case = {
  name: 'rules',
  about: 'every update rule against a loop that moves the same memory, one thread',
  async run(bench) {
    const powers = bench.isQuick ? [20] : [12, 14, 16, 18, 19, 20, 22, 24, 26];
    const sizes = powers.map((power) => 2 ** power);
    // g, w and up to three slots, as long as the largest size; every contest uses their beginnings.
    const arrays = Array.from({ length: 5 }, () => shared(sizes.at(-1)!));
    runtime.threads = 1;
    for (const rule of native.rules) await benchRule(bench, rule, arrays, sizes);
    runtime.threads = bench.allThreads;
  },
};
