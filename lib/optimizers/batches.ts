import { checkBoolean } from '../checks';
import type { FloatArray } from '../dtype';
import { native, type Plan, type Rule } from '../native';
import { sharedArray, type Variable } from '../variable';
import type { Update } from './pairs';
import type { Settings, SettingsByVariable } from './settings';
import type { Slots } from './slots';

/** Variables that step in one native call. */
interface Batch {
  readonly settings: Settings;
  readonly decays: boolean;
  /** Positions in the step's list of updates. */
  readonly members: number[];
  /** The rule's hyperparameters, then a factor for each member's gradient; shared memory that the plan reads. */
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
    if (updates.length === arranged.length && updates.every(({ variable }, i) => variable === arranged[i])) return;
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
      batch.numbers = sharedArray('float64', this.rule.hyper.length + batch.members.length);
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
    for (const { members, plan } of this.batches) {
      const gradients = members.map((i) => updates[i]!.values.raw);
      native.step(plan!, gradients, isSparse ? members.map((i) => updates[i]!.indices) : undefined);
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
