import type { Columns } from './columns';
import { SafetensorsError, type SafetensorsErrorCode } from './error';
import { readShape } from './fields';
import { headerStart, type Scanner } from './scanner';
import { bytesFor, sizeOf } from './sizes';

/** What was read of tensors, and where in which file they are. */
export interface TensorPlaces {
  readonly columns: Columns;
  /** Of their elements; null: as the header has them. */
  readonly order: Uint32Array | null;
  readonly dataStart: number;
  readonly fileBytes: number;
}

/**
 * Whether the elements of tensors lie one after the other, are as many bytes as shapes and dtypes say, and fill the file.
 * @throws SafetensorsError otherwise.
 */
export function checkLayout(scanner: Scanner, { columns, order, dataStart, fileBytes }: TensorPlaces): void {
  let filled = 0;
  for (let n = 0; n < columns.count; n++) {
    const i = order === null ? n : order[n]!;
    const at = columns.names[i]!;
    const fail = (code: SafetensorsErrorCode, message: string): never => {
      throw new SafetensorsError(code, message, { tensor: scanner.text.label(at), offset: headerStart + at });
    };
    filled = checkTensor(scanner, columns, i, filled, fail);
    if (dataStart + filled > fileBytes) {
      fail('data-incomplete', `the file ends at byte ${fileBytes}, before the tensor does at ${dataStart + filled}`);
    }
  }
  const end = dataStart + filled;
  if (fileBytes !== Infinity && fileBytes > end) {
    const message = `the last tensor ends at byte ${end}, but the file has ${fileBytes - end} more`;
    throw new SafetensorsError('trailing-bytes', message, { offset: end });
  }
}

/** @returns where the elements of a tensor end, which must start at `filled`. */
function checkTensor(
  scanner: Scanner,
  columns: Columns,
  i: number,
  filled: number,
  fail: (code: SafetensorsErrorCode, message: string) => never,
): number {
  const [begin, end, dtype] = [columns.begins[i]!, columns.ends[i]!, columns.dtype(i)];
  const offsets = (): string => `data_offsets [${begin}, ${end}]`;
  if (begin < filled) fail('invalid-offsets', `${offsets()} overlap the tensor before, which ends at ${filled}`);
  if (begin > filled) fail('invalid-offsets', `${offsets()} leave a hole: the tensor before ends at ${filled}`);
  if (end < begin) fail('invalid-offsets', `${offsets()} end before they begin`);
  scanner.position = columns.shapes[i]!;
  const shape = readShape(scanner);
  const size = sizeOf(shape) ?? fail('overflow', `a shape of [${shape.join()}] has too many elements`);
  const byteLength = bytesFor(size, dtype) ?? fail('misaligned', `[${shape.join()}] of ${dtype} fill no whole bytes`);
  if (byteLength === end - begin) return end;
  const taken = `[${shape.join()}] of ${dtype} take ${byteLength} bytes`;
  return fail('size-mismatch', `${taken}, but ${offsets()} are ${end - begin}`);
}
