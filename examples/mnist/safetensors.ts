import type { Variable } from 'gradstep';

const dtypes = { float32: 'F32', float64: 'F64' };

/**
 * Variables in the format safetensors: the length of the header (8 bytes, little-endian), the header in JSON, which
 * tells of every tensor its dtype, shape, and first and last byte counted from the header's end, and the bytes.
 *
 * Source: the format's description in the repository huggingface/safetensors.
 */
export function toSafetensors(variables: readonly Variable[]): Buffer {
  const header: Record<string, { dtype: string; shape: readonly number[]; data_offsets: [number, number] }> = {};
  const parts: Buffer[] = [];
  let offset = 0;
  for (const { name, dtype, shape, data } of variables) {
    const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    header[name] = { dtype: dtypes[dtype], shape, data_offsets: [offset, offset + bytes.length] };
    parts.push(bytes);
    offset += bytes.length;
  }
  const json = JSON.stringify(header);
  const padded = json.padEnd(8 * Math.ceil(json.length / 8)); // with spaces: the data begins at a multiple of 8
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return Buffer.concat([length, Buffer.from(padded), ...parts]);
}
