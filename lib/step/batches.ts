import { checkBoolean } from '../checks';
import { isFixed, isFloatArray, sharedArray, type FloatArray } from '../tensor/dtype';
import { IndexedSlices, storedValues } from '../tensor/indexed-slices';
import { native, type Plan, type Rule } from '../native';
import type { Tensor } from '../tensor/tensor';
import type { Variable } from '../tensor/variable';
import { checkGradient, checkPairs, toGradientTensor, type Pairs } from './pairs';
import type { Settings, SettingsByVariable } from './settings';
import type { Slots } from './slots';

/** Variables that share what a step is made with. */
interface Group {
  readonly settings: Settings;
  readonly decays: boolean;
  readonly variables: Variable[];
  /** Their positions in the step's list of pairs. */
  readonly positions: number[];
}

/** Variables that step in one native call. */
interface Batch extends Group {
  /** The rule's hyperparameters, each gradient's factor, each dense gradient's address; the plan reads them here. */
  readonly numbers: FloatArray;
  /** The typed array at each address, if it is one: as long as it comes again, its address is known. */
  readonly known: (FloatArray | null)[];
  /** Whether one of this step's gradients is sparse. */
  isSparse: boolean;
  plan: Plan | null;
}

// Longer ones are not held on to: beside their step the time to look an address up does not count.
const longestKnown = 4096;

/** A step's variables, arranged by what they share. */
export class Batches {
  /** The settings that take part in the step. */
  settings: readonly Settings[] = [];
  /** Variables that have a gradient. */
  variables: readonly Variable[] = [];
  /** Those of them that have a constraint. */
  constrained: readonly Variable[] = [];
  private batches: readonly Batch[] = [];
  private listed: readonly Variable[] = [];
  private given: readonly boolean[] = [];
  /** Variables whose memory is somebody else's to take away. */
  private borrowed: readonly Variable[] = [];
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

  /**
   * Puts together what steps together; nothing to do when the last step had gradients for the same variables.
   * @throws what checkPairs throws.
   */
  arrange(pairs: Pairs): void {
    if (this.isArranged(pairs)) return;
    checkPairs(pairs);
    const groups: Group[] = [];
    pairs.forEach(([gradient, variable], position) => {
      if (gradient === null) return;
      const settings = this.settingsByVariable.of(variable);
      const decays = !this.isExcluded(variable);
      let group = groups.find((other) => other.settings === settings && other.decays === decays);
      if (group === undefined) groups.push((group = { settings, decays, variables: [], positions: [] }));
      group.variables.push(variable);
      group.positions.push(position);
    });
    this.batches = groups.map((group): Batch => {
      const count = group.variables.length;
      const numbers = sharedArray('float64', this.rule.hyper.length + 2 * count);
      return { ...group, numbers, known: new Array<null>(count).fill(null), isSparse: false, plan: null };
    });
    this.settings = [...new Set(groups.map(({ settings }) => settings))];
    this.listed = pairs.map(([, variable]) => variable);
    this.given = pairs.map(([gradient]) => gradient !== null);
    this.variables = this.listed.filter((_, i) => this.given[i]);
    this.constrained = this.variables.filter(({ constraint }) => constraint !== null);
    this.borrowed = this.variables.filter(({ isPermanent }) => !isPermanent);
  }

  private isArranged(pairs: readonly unknown[]): boolean {
    const { listed, given } = this;
    if (pairs.length !== listed.length) return false;
    for (let i = 0; i < pairs.length; i++) {
      const pair: unknown = pairs[i];
      if (!Array.isArray(pair) || pair.length !== 2) return false;
      if (pair[1] !== listed[i] || (pair[0] !== null) !== given[i]) return false;
    }
    return true;
  }

  /**
   * Checks every gradient and notes where it lies: what can fail of a step, before any variable changes. Each of the
   * settings has been evaluated.
   * @param used takes those gradients that computeGradients made.
   * @throws what checkGradient throws, and Error for memory that is gone.
   */
  prepare(pairs: Pairs, used: Tensor[]): void {
    for (const variable of this.borrowed) void variable.data;
    for (const batch of this.batches) {
      const { numbers, settings, decays, variables } = batch;
      const { hyper } = settings;
      for (let i = 0; i < hyper.length; i++) numbers[i] = hyper[i]!;
      if (!decays) numbers[this.weightDecayAt] = 0;
      locateGradients(batch, pairs, used);
      batch.plan ??= this.planFor(variables, numbers);
    }
  }

  step(pairs: Pairs): void {
    for (const batch of this.batches) {
      if (batch.isSparse) stepSparse(batch, pairs);
      else native.step(batch.plan!);
    }
  }

  private isExcluded({ name }: Variable): boolean {
    if (this.excludeFromWeightDecay === undefined) return false;
    const excluded: unknown = this.excludeFromWeightDecay(name);
    checkBoolean(`excludeFromWeightDecay('${name}')`, excluded);
    return excluded;
  }

  private planFor(variables: readonly Variable[], numbers: FloatArray): Plan {
    this.slots.make(variables);
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

/** Checks a batch's gradients and writes their factors and addresses. */
function locateGradients(batch: Batch, pairs: Pairs, used: Tensor[]): void {
  const { variables, positions, numbers, known } = batch;
  const count = variables.length;
  const addresses = numbers.length - count;
  const factors = addresses - count;
  batch.isSparse = false;
  for (let i = 0; i < count; i++) {
    const variable = variables[i]!;
    const given = pairs[positions[i]!]![0]!;
    if (given === known[i] && known[i]!.length === variable.size) continue;
    const gradient = checkGradient(given, variable);
    const values = storedValues(gradient);
    if (values.isOurs) used.push(values);
    if (gradient instanceof IndexedSlices) batch.isSparse = true;
    numbers[factors + i] = values.factor;
    numbers[addresses + i] = values.address;
    known[i] = isLasting(given, variable) ? given : null;
  }
}

function isLasting(given: unknown, { size }: Variable): given is FloatArray {
  return size <= longestKnown && isFloatArray(given) && isFixed(given);
}

function stepSparse({ plan, variables, positions }: Batch, pairs: Pairs): void {
  const gradients = positions.map((position) => pairs[position]![0]!);
  native.stepSparse(
    plan!,
    gradients.map((gradient, i) => {
      const values = gradient instanceof IndexedSlices ? gradient.values : toGradientTensor(gradient, variables[i]!);
      return values.raw;
    }),
    gradients.map((gradient) => (gradient instanceof IndexedSlices ? gradient.indices : undefined)),
  );
}
