import type { Rule } from '../native';

// A step as native code reads it: one table of numbers, laid out as native/binding/step_table.h says.
//
//   [rule, all rows step (0 or 1), groups, variables]
//   for each group: the rule's hyperparameters
//   for each variable: a row of `Column`s, and from Column.Slots on the address of each slot

const headerLength = 4;

export const enum Column {
  Group,
  IsFloat64,
  Length,
  RowElements,
  Factor,
  Gradient,
  GradientLength,
  Parameter,
  Slots,
}

/** Where things are in the table of a step with so many groups and variables. */
export class TableLayout {
  readonly rowLength: number;
  private readonly firstRow: number;

  constructor(
    private readonly rule: Rule,
    private readonly groups: number,
    private readonly variables: number,
  ) {
    this.rowLength = Column.Slots + rule.slots.length;
    this.firstRow = headerLength + groups * rule.hyper.length;
  }

  newTable(allRowsStep: boolean): Float64Array {
    const table = new Float64Array(this.firstRow + this.variables * this.rowLength);
    table.set([this.rule.id, allRowsStep ? 1 : 0, this.groups, this.variables]);
    return table;
  }

  /** The hyperparameters of a group, for writing. */
  hyperOf(table: Float64Array, group: number): Float64Array {
    const start = headerLength + group * this.rule.hyper.length;
    return table.subarray(start, start + this.rule.hyper.length);
  }

  rowOf(variable: number): number {
    return this.firstRow + variable * this.rowLength;
  }
}
