import { native, type Rule } from '../native';

// A step as native code reads it, in two forms of `Binding`: a table, which says everything, and a step that was laid out
// from one, of which only hyperparameters, factors and the places of gradients are written anew each time.
//
// The table:
//   [rule, all rows step (0 or 1), groups, variables]
//   for each group: the rule's hyperparameters
//   for each variable: a row of `Column`s, and from Column.Slots on the `SlotColumn`s of each slot

const headerLength = 4;

export const enum Column {
  Group,
  Length,
  RowElements,
  Factor,
  GradientFormat,
  Gradient,
  GradientLength,
  ParameterFormat,
  Parameter,
  Slots,
}

/** A slot's columns, from where it starts. */
export const enum SlotColumn {
  Format,
  Address,
  Count,
}

const ownNumbers = 8;

/** Where things are in the table of a step with so many groups and variables, and in one that is laid out. */
export class StepLayout {
  private readonly rowLength: number;
  private readonly hyperLength: number;
  private readonly firstRow: number;
  private readonly bytes: number;

  constructor(
    private readonly rule: Rule,
    private readonly groups: number,
    private readonly variables: number,
  ) {
    this.rowLength = Column.Slots + SlotColumn.Count * rule.slots.length;
    this.hyperLength = groups * rule.hyper.length;
    this.firstRow = headerLength + this.hyperLength;
    this.bytes = native.stepBytes(rule.id, groups, variables);
  }

  newTable(allRowsStep: boolean): Float64Array {
    const table = new Float64Array(this.firstRow + this.variables * this.rowLength);
    table.set([this.rule.id, allRowsStep ? 1 : 0, this.groups, this.variables]);
    return table;
  }

  /** Where the row of a variable starts in the table. */
  rowOf(variable: number): number {
    return this.firstRow + variable * this.rowLength;
  }

  /** Where slot number k of a variable starts in the table. */
  slotOf(variable: number, k: number): number {
    return this.rowOf(variable) + Column.Slots + SlotColumn.Count * k;
  }

  newLaidOut(): ArrayBuffer {
    return new ArrayBuffer(this.bytes);
  }

  /** The hyperparameters of each group in a step that is laid out, for writing. */
  hyperIn(laidOut: ArrayBuffer): Float64Array[] {
    const { length } = this.rule.hyper;
    return Array.from({ length: this.groups }, (_, group) => {
      return new Float64Array(laidOut, 8 * (ownNumbers + group * length), length);
    });
  }

  /** Factor and address of each variable's gradient in a step that is laid out, for writing. */
  inputsIn(laidOut: ArrayBuffer): Float64Array {
    return new Float64Array(laidOut, 8 * (ownNumbers + this.hyperLength), 2 * this.variables);
  }

  /** Writes factor and address of each variable's gradient into the table as well; the length of dense ones, who have no rows. */
  copyInputs(inputs: Float64Array, rows: readonly unknown[], table: Float64Array): void {
    for (let i = 0; i < this.variables; i++) {
      const row = this.rowOf(i);
      table[row + Column.Factor] = inputs[2 * i]!;
      table[row + Column.Gradient] = inputs[2 * i + 1]!;
      if (rows[i] === undefined) table[row + Column.GradientLength] = table[row + Column.Length]!;
    }
  }

  /** Writes the hyperparameters into the table as well. */
  copyHyper(hyper: readonly Float64Array[], table: Float64Array): void {
    hyper.forEach((values, group) => table.set(values, headerLength + group * values.length));
  }
}
