import { isDType, type SafetensorsDType } from './dtypes';
import { quoted, type SafetensorsErrorCode } from './error';
import { openBracket, quote, type Scanner } from './scanner';

// The fields of a tensor, as a header writes them.

/** The most dimensions of a tensor. */
const mostDimensions = 1000;

export function readDType(scanner: Scanner): SafetensorsDType {
  if (scanner.peek() !== quote) scanner.fail('invalid-tensor', 'dtype must be a string');
  const at = scanner.passString('dtype');
  const name = scanner.text.short(at);
  if (isDType(name)) return name;
  return scanner.fail('unknown-dtype', `there is no dtype ${quoted(scanner.text.label(at))}`, at);
}

export function readShape(scanner: Scanner): number[] {
  return readCounts(scanner, 'shape', mostDimensions, 'overflow');
}

export function readOffsets(scanner: Scanner): readonly [begin: number, end: number] {
  const at = scanner.position;
  const offsets = readCounts(scanner, 'data_offsets', 2, 'invalid-offsets');
  if (offsets.length !== 2) scanner.fail('invalid-tensor', 'data_offsets must be two numbers', at);
  return [offsets[0]!, offsets[1]!];
}

/** An array of whole numbers, at most `most` of them. `tooLarge` is what a number is that JavaScript cannot hold. */
function readCounts(scanner: Scanner, what: string, most: number, tooLarge: SafetensorsErrorCode): number[] {
  const counts: number[] = [];
  if (scanner.peek() !== openBracket) scanner.fail('invalid-tensor', `${what} must be an array of whole numbers`);
  scanner.array(what, () => {
    scanner.peek();
    const at = scanner.position;
    if (counts.length === most) scanner.fail('invalid-tensor', `${what} has more than ${most} numbers`, at);
    counts.push(scanner.count(what));
    if (counts.at(-1) === Infinity) scanner.fail(tooLarge, `${what} has a number beyond 2^53 - 1`, at);
  });
  return counts;
}
