import { shown } from '../checks';
import { meantBy } from '../options';
import { Variable } from '../tensor/variable';
import { checkSchedule, valueOf, type Hyperparameter, type Schedule } from '../schedules/schedule';

/**
 * Variables that step with hyperparameters of their own: those that the group leaves out are the optimizer's.
 *
 * @typeParam H the optimizer's hyperparameters.
 */
export type ParameterGroup<H extends object> = { readonly variables: readonly Variable[] } & Partial<H>;

type Table = Readonly<Record<string, Hyperparameter>>;
type Given = Readonly<Record<string, unknown>>;

/** The hyperparameters of one group of variables. */
export class Settings {
  private readonly schedules: readonly (Schedule | undefined)[];

  /**
   * @param group 0 for the variables in no group, else the group's position plus one.
   * @param names what the native rule wants to know.
   */
  constructor(
    readonly group: number,
    private readonly table: Table,
    private readonly given: Readonly<Record<string, Schedule>>,
    private readonly names: readonly string[],
  ) {
    for (const name of Object.keys(table)) checkSchedule(this.prefix + name, given[name], table[name]!.domain);
    this.schedules = names.map((name) => given[name]);
  }

  private get prefix(): string {
    return this.group === 0 ? '' : `groups[${this.group - 1}].`;
  }

  /** The names of the hyperparameters that are options. */
  get optionNames(): string[] {
    return Object.keys(this.table);
  }

  /** The hyperparameters by their names: their values, and for functions that they are. */
  get described(): Readonly<Record<string, number | 'a schedule'>> {
    return Object.fromEntries(
      this.optionNames.map((name) => {
        const given = this.given[name];
        return [name, typeof given === 'number' ? given : 'a schedule'];
      }),
    );
  }

  /** The value of a hyperparameter, now. @throws TypeError or RangeError when a function returns what it may not be. */
  value(name: string): number {
    return valueOf(this.prefix + name, this.given[name]!, this.table[name]!.domain);
  }

  /**
   * Asks for this step's values and writes them into `hyper`, in the order of `names`; what the optimizer derives from
   * them is for it to fill in.
   */
  evaluate(hyper: Float64Array): void {
    const { schedules } = this;
    for (let i = 0; i < schedules.length; i++) {
      const schedule = schedules[i];
      if (typeof schedule === 'number') hyper[i] = schedule;
      else if (schedule !== undefined) hyper[i] = this.value(this.names[i]!);
    }
  }
}

/** The settings of an optimizer's variables: one for all, and one for each of its groups. */
export class SettingsByVariable {
  private readonly common: Settings;
  private readonly groups: Settings[] = [];
  private readonly grouped = new WeakMap<Variable, Settings>();

  /** @throws TypeError, RangeError for options that are no hyperparameters' values, Error for a variable in two groups. */
  constructor(table: Table, names: readonly string[], options: Given, groups: unknown) {
    const common = withDefaults(table, options, (name) => table[name]!.initial);
    this.common = new Settings(0, table, common, names);
    if (groups === undefined) return;
    if (!Array.isArray(groups)) throw new TypeError(`groups must be an array, got ${shown(groups)}`);
    (groups as readonly unknown[]).forEach((group, i) => {
      const { variables, ...own } = checkGroup(`groups[${i}]`, table, group);
      const settings = new Settings(
        i + 1,
        table,
        withDefaults(table, own, (name) => common[name]),
        names,
      );
      this.groups.push(settings);
      for (const variable of variables) {
        if (this.grouped.has(variable)) throw new Error(`variable '${variable.name}' is in groups twice`);
        this.grouped.set(variable, settings);
      }
    });
  }

  /** Those of the variables in no group, then those of each group. */
  get all(): readonly Settings[] {
    return [this.common, ...this.groups];
  }

  of(variable: Variable): Settings {
    return this.grouped.get(variable) ?? this.common;
  }

  /** Has a part of a variable step with the settings of the whole. */
  addPart(part: Variable, whole: Variable): void {
    const own = this.grouped.get(whole);
    if (own !== undefined) this.grouped.set(part, own);
  }
}

// What is given or else initial may be anything here: Settings checks it.
function withDefaults(table: Table, given: Given, initial: (name: string) => Schedule | undefined) {
  const names = Object.keys(table);
  const value = (name: string) => (given[name] === undefined ? initial(name) : given[name]) as Schedule;
  return Object.fromEntries(names.map((name) => [name, value(name)]));
}

/** The group's variables and options, read once. */
function checkGroup(name: string, table: Table, group: unknown): Given & { variables: readonly Variable[] } {
  if (typeof group !== 'object' || group === null || Array.isArray(group)) {
    const form = Array.isArray(group) ? ': write { variables: [...] }' : '';
    throw new TypeError(`${name} must be an object, got ${shown(group)}${form}`);
  }
  const given: Given = { ...group };
  const names = Object.keys(table);
  const unknown = Object.keys(given).find((key) => key !== 'variables' && !names.includes(key));
  if (unknown !== undefined) {
    const hint = meantBy(unknown, [...names, 'variables']);
    throw new TypeError(
      `${name} has the option ${shown(unknown)}, expected some of ${names.join(', ')}${hint === undefined ? '' : `; ${hint}`}`,
    );
  }
  if (!Array.isArray(given.variables)) {
    throw new TypeError(`${name}.variables must be an array, got ${shown(given.variables)}`);
  }
  const variables = [...(given.variables as readonly unknown[])];
  for (const variable of variables) {
    if (!(variable instanceof Variable)) {
      throw new TypeError(`${name}.variables must hold Variables, got ${shown(variable)}`);
    }
  }
  return { ...given, variables: variables as Variable[] };
}
