import { checkBoolean } from '../checks';
import { sharedArray, type FloatArray } from '../dtype';
import { native, type Plan, type Rule } from '../native';
import type { Variable } from '../variable';
import type { Update } from './pairs';
import type { Settings, SettingsByVariable } from './settings';
import type { Slots } from './slots';

/** Variables that step in one native call. */
interface Batch {
  readonly settings: Settings;
  readonly decays: boolean;
  /** Positions in the step's list of updates. */
  readonly members: number[];
  /** The rule's hyperparameters, each gradient's factor, each dense gradient's address; the plan reads them here. */
  numbers: FloatArray;
  plan: Plan | null;
}

/** A step's updates, arranged by what they share. */
export class Batches {
  /** The settings that take part in the step. */
  settings: readonly Settings[] = [];
  private batches: readonly Batch[] = [];
  private arranged: readonly Variable[] = [];
  private readonly weightDecayAt: number;

  constructor(
    private readonly rule: Rule,
    private readonly settingsByVariable: SettingsByVariable,
    private readonly slots: Slots,
    private readonly sparseStepsAllRows: boolean,
    private readonly excludeFromWeightDecay: ((name: string) => boolean) | undefined,
  ) {
    this.weightDecayAt = rule.hyper.indexOf('weightDecay');
  }

  /** Puts together what steps together; nothing to do when the last step had the same variables. */
  arrange(updates: readonly Update[]): void {
    const { arranged } = this;
    if (isArrangement(updates, arranged)) return;
    const batches: Batch[] = [];
    updates.forEach(({ variable }, i) => {
      const settings = this.settingsByVariable.of(variable);
      const decays = !this.isExcluded(variable);
      let batch = batches.find((other) => other.settings === settings && other.decays === decays);
      if (batch === undefined) {
        batch = { settings, decays, members: [], numbers: sharedArray('float64', 0), plan: null };
        batches.push(batch);
      }
      batch.members.push(i);
    });
    for (const batch of batches) {
      batch.numbers = sharedArray('float64', this.rule.hyper.length + 2 * batch.members.length);
    }
    this.batches = batches;
    this.settings = [...new Set(batches.map(({ settings }) => settings))];
    this.arranged = updates.map(({ variable }) => variable);
  }

  /** What can fail of a step, before any variable changes. Each of the settings has been evaluated. */
  prepare(updates: readonly Update[]): void {
    for (const batch of this.batches) {
      const { members, numbers, decays } = batch;
      const { hyper } = batch.settings;
      for (let i = 0; i < hyper.length; i++) numbers[i] = hyper[i]!;
      if (!decays) numbers[this.weightDecayAt] = 0;
      for (let i = 0; i < members.length; i++) numbers[hyper.length + i] = updates[members[i]!]!.values.factor;
      batch.plan ??= this.planFor(
        members.map((i) => updates[i]!.variable),
        numbers,
      );
    }
  }

  step(updates: readonly Update[]): void {
    const isSparse = updates.some(({ indices }) => indices !== undefined);
    for (const { members, numbers, plan } of this.batches) {
      if (isSparse) {
        const own = members.map((i) => updates[i]!);
        native.stepSparse(
          plan!,
          own.map(({ values }) => values.raw),
          own.map(({ indices }) => indices),
        );
      } else {
        const first = numbers.length - members.length;
        for (let i = 0; i < members.length; i++) numbers[first + i] = updates[members[i]!]!.values.address;
        native.step(plan!);
      }
    }
  }

  private isExcluded({ name }: Variable): boolean {
    if (this.excludeFromWeightDecay === undefined) return false;
    const excluded: unknown = this.excludeFromWeightDecay(name);
    checkBoolean(`excludeFromWeightDecay('${name}')`, excluded);
    return excluded;
  }

  private planFor(variables: readonly Variable[], numbers: FloatArray): Plan {
    return native.createPlan(
      this.rule.id,
      variables.map((variable) => variable.data),
      variables.map((variable) => this.slots.of(variable).map((slot) => slot.data)),
      Float64Array.from(variables, ({ size, shape }) => (shape[0] ? size / shape[0] : 1)),
      variables.map((variable) => variable.isFixed),
      this.sparseStepsAllRows,
      numbers,
    );
  }
}

function isArrangement(updates: readonly Update[], variables: readonly Variable[]): boolean {
  if (updates.length !== variables.length) return false;
  for (let i = 0; i < updates.length; i++) if (updates[i]!.variable !== variables[i]) return false;
  return true;
}
