import { toTensor, type TensorLike } from '../autodiff/tape';
import { record } from '../autodiff/tape';
import { shown } from '../checks';
import { showShape, sizeOf, stridesOf, type Shape } from '../tensor/shape';
import type { Tensor } from '../tensor/tensor';
import { placed, taken, type View } from './layout';
import { matMul } from './mat-mul';
import { mul } from './mul';
import { reduceSum } from './reduce-sum';
import { reshape } from './reshape';
import { transpose } from './transpose';

/** A tensor, and the name of each of its dimensions. */
interface Named {
  readonly tensor: Tensor;
  readonly labels: readonly string[];
}

/**
 * Einstein's sum: dimensions are named by letters, 'ij,jk->ik' for one, and what is left out of the result is summed over.
 *
 * A letter that is there twice in one operand takes its diagonal; `...` stands for any dimensions in front, which broadcast.
 * Without an arrow the result has the letters that are there once, in the order of the alphabet. Operands are multiplied from
 * left to right, two at a time, each pair as one product of matrices (of batches of them).
 *
 * Gradients: those of the ops that it consists of.
 *
 * @throws TypeError for arguments of a wrong kind, RangeError for an equation that cannot be read, or that does not fit the
 * shapes.
 * Source: `tf.einsum`.
 * @example
 * const queries = random.normal([8, 32, 4, 16]);
 * const keys = random.normal([8, 32, 4, 16]);
 * const scores = ops.einsum('bqhd,bkhd->bhqk', queries, keys); // [8, 4, 32, 32]
 */
export function einsum(equation: string, ...operands: TensorLike[]): Tensor {
  checkEquation(equation);
  const tensors = operands.map((operand, i) => toTensor(`operand ${i}`, operand));
  const { inputs, output } = parsed(
    equation,
    tensors.map(({ shape }) => shape),
  );
  checkSizes(equation, tensors, inputs);
  const [first, ...rest] = tensors.map((tensor, i) => diagonals({ tensor, labels: inputs[i]! }));
  let result = first!;
  rest.forEach((next, i) => {
    const later = new Set([...output, ...rest.slice(i + 1).flatMap(({ labels }) => labels)]);
    result = product(result, next, later);
  });
  const summed = withoutOthers(result, new Set(output));
  return inOrder(summed, output);
}

function checkEquation(equation: unknown): asserts equation is string {
  if (typeof equation !== 'string') throw new TypeError(`equation must be a string, got ${shown(equation)}`);
}

function parsed(equation: string, shapes: readonly Shape[]): { inputs: string[][]; output: string[] } {
  const refuse = (why: string): never => {
    throw new RangeError(`equation '${equation}': ${why}`);
  };
  const [left = '', right, more] = equation.replace(/\s/g, '').split('->');
  if (more !== undefined) refuse('there must be one arrow at most');
  const terms = left.split(',');
  if (terms.length !== shapes.length) refuse(`it is of ${terms.length} operands, ${shapes.length} were given`);
  for (const term of [...terms, right ?? '']) {
    if (!/^[a-zA-Z]*(\.\.\.)?[a-zA-Z]*$/.test(term)) refuse(`'${term}' must be letters, with ... once at most`);
  }
  let widest = 0;
  const inputs = terms.map((term, i) => {
    const letters = term.replace('...', '');
    const more = shapes[i]!.length - letters.length;
    const fits = term.includes('...') ? more >= 0 : more === 0;
    if (!fits) refuse(`'${term}' does not name the dimensions of operand ${i}, of shape ${showShape(shapes[i]!)}`);
    widest = Math.max(widest, more);
    return labelsOf(term, more);
  });
  const all = inputs.flat();
  const once = [...new Set(all)].filter((label) => label.length === 1 && all.indexOf(label) === all.lastIndexOf(label));
  const output = right === undefined ? [...labelsOf('...', widest), ...once.sort()] : labelsOf(right, widest);
  if (new Set(output).size !== output.length) refuse('the result must not have a letter twice');
  const stray = output.find((label) => label.length === 1 && !all.includes(label));
  if (stray !== undefined) refuse(`no operand has '${stray}'`);
  return { inputs, output };
}

/** The names of dimensions; those of an ellipsis are numbered from the last on. */
function labelsOf(term: string, more: number): string[] {
  const [front = '', behind = ''] = term.split('...');
  if (!term.includes('...')) return [...term];
  return [...front, ...Array.from({ length: more }, (_, i) => `...${more - 1 - i}`), ...behind];
}

function checkSizes(equation: string, tensors: readonly Tensor[], inputs: readonly (readonly string[])[]): void {
  const sizes = new Map<string, number>();
  tensors.forEach(({ shape }, i) =>
    inputs[i]!.forEach((label, d) => {
      const known = sizes.get(label);
      const size = shape[d]!;
      const canRepeat = label.length > 1 && (known === 1 || size === 1);
      if (known !== undefined && known !== size && !canRepeat) {
        throw new RangeError(
          `equation '${equation}': '${label.slice(0, 3)}' is of size ${known}, in operand ${i} of shape ${showShape(shape)} of size ${size}`,
        );
      }
      sizes.set(label, known === undefined ? size : Math.max(known, size));
    }),
  );
}

/** Of dimensions with one name their diagonal. */
function diagonals({ tensor, labels }: Named): Named {
  const own = [...new Set(labels)];
  if (own.length === labels.length) return { tensor, labels };
  const steps = stridesOf(tensor.shape);
  const view: View = {
    shape: own.map((label) => tensor.shape[labels.indexOf(label)]!),
    start: 0,
    steps: own.map((label) => labels.reduce((sum, other, d) => (other === label ? sum + steps[d]! : sum), 0)),
  };
  return { tensor: record([tensor], taken(tensor, view), (dy) => [placed(dy, view, tensor.shape)]), labels: own };
}

/** Sums over what is not among these. */
function withoutOthers({ tensor, labels }: Named, kept: ReadonlySet<string>): Named {
  const axes = labels.flatMap((label, d) => (kept.has(label) ? [] : [d]));
  if (axes.length === 0) return { tensor, labels };
  return { tensor: reduceSum(tensor, axes), labels: labels.filter((label) => kept.has(label)) };
}

function inOrder({ tensor, labels }: Named, order: readonly string[]): Tensor {
  const lacking = order.filter((label) => !labels.includes(label)); // of an ellipsis that stands for nothing here
  const all = [...lacking, ...labels];
  const whole = lacking.length === 0 ? tensor : reshape(tensor, [...lacking.map(() => 1), ...tensor.shape]);
  const perm = order.map((label) => all.indexOf(label));
  return perm.every((at, d) => at === d) ? whole : transpose(whole, perm);
}

/** a times b, summed over what both have and nobody needs later. */
function product(left: Named, right: Named, later: ReadonlySet<string>): Named {
  const a = withoutOthers(left, new Set([...later, ...right.labels]));
  const b = withoutOthers(right, new Set([...later, ...left.labels]));
  const isShared = (label: string): boolean => a.labels.includes(label) && b.labels.includes(label);
  // Of an ellipsis a dimension is never summed over here: one of size 1 could not repeat.
  const isKept = (label: string): boolean => later.has(label) || label.length > 1;
  const batch = a.labels.filter((label) => isShared(label) && isKept(label));
  const inner = a.labels.filter((label) => isShared(label) && !isKept(label));
  const rows = a.labels.filter((label) => !isShared(label));
  const columns = b.labels.filter((label) => !isShared(label));
  const labels = [...batch, ...rows, ...columns];
  const sizesIn = ({ tensor, labels: of }: Named, names: readonly string[]): number[] =>
    names.map((label) => tensor.shape[of.indexOf(label)]!);
  const [m, n] = [sizesIn(a, rows), sizesIn(b, columns)];
  const shapeOf = (lead: readonly number[]): number[] => [...lead, ...m, ...n];
  if (inner.length === 0) {
    const x = reshape(inOrder(a, [...batch, ...rows]), [...sizesIn(a, batch), ...m, ...n.map(() => 1)]);
    const y = reshape(inOrder(b, [...batch, ...columns]), [...sizesIn(b, batch), ...m.map(() => 1), ...n]);
    return { tensor: mul(x, y), labels };
  }
  const isOrder = ({ labels: of }: Named, order: readonly string[]): boolean =>
    order.every((label, d) => of[d] === label);
  const transposeA = isOrder(a, [...batch, ...inner, ...rows]) && rows.length > 0;
  const transposeB = isOrder(b, [...batch, ...columns, ...inner]) && columns.length > 0;
  const matrices = (of: Named, front: readonly string[], behind: readonly string[]): Tensor => {
    const sizes = [sizeOf(sizesIn(of, front)), sizeOf(sizesIn(of, behind))];
    return reshape(inOrder(of, [...batch, ...front, ...behind]), [...sizesIn(of, batch), ...sizes]);
  };
  const x = transposeA ? matrices(a, inner, rows) : matrices(a, rows, inner);
  const y = transposeB ? matrices(b, columns, inner) : matrices(b, inner, columns);
  const c = matMul(x, y, { transposeA, transposeB });
  return { tensor: reshape(c, shapeOf(c.shape.slice(0, -2))), labels };
}
