/** The class of array that a tensor of each dtype is read into. What JavaScript has no numbers for comes as its bits. */
export interface SafetensorsArrays {
  BOOL: Uint8Array;
  F4: Uint8Array;
  F6_E2M3: Uint8Array;
  F6_E3M2: Uint8Array;
  U8: Uint8Array;
  I8: Int8Array;
  F8_E5M2: Uint8Array;
  F8_E4M3: Uint8Array;
  F8_E8M0: Uint8Array;
  F8_E4M3FNUZ: Uint8Array;
  F8_E5M2FNUZ: Uint8Array;
  I16: Int16Array;
  U16: Uint16Array;
  F16: Uint16Array;
  BF16: Uint16Array;
  I32: Int32Array;
  U32: Uint32Array;
  F32: Float32Array;
  C64: Float32Array;
  F64: Float64Array;
  I64: BigInt64Array;
  U64: BigUint64Array;
}

/** The element types of the format, by their names in it. */
export type SafetensorsDType = keyof SafetensorsArrays;

/** What a tensor's elements come in and can be written from. */
export type SafetensorsArray = SafetensorsArrays[SafetensorsDType];

interface ArrayClass {
  new (length: number): SafetensorsArray;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): SafetensorsArray;
  readonly BYTES_PER_ELEMENT: number;
  readonly name: string;
}

/** What there is to know of a dtype. */
export interface DTypeTraits {
  /** Bits of one element in a file. */
  readonly bits: number;
  readonly Array: ArrayClass;
  /** Its place in the order of tensors in a file: those that need the widest alignment first. */
  readonly order: number;
}

// In increasing alignment, the order of the reference implementation, so that we write the same files.
const list: readonly (readonly [SafetensorsDType, number, ArrayClass])[] = [
  ['BOOL', 8, Uint8Array],
  ['F4', 4, Uint8Array],
  ['F6_E2M3', 6, Uint8Array],
  ['F6_E3M2', 6, Uint8Array],
  ['U8', 8, Uint8Array],
  ['I8', 8, Int8Array],
  ['F8_E5M2', 8, Uint8Array],
  ['F8_E4M3', 8, Uint8Array],
  ['F8_E8M0', 8, Uint8Array],
  ['F8_E4M3FNUZ', 8, Uint8Array],
  ['F8_E5M2FNUZ', 8, Uint8Array],
  ['I16', 16, Int16Array],
  ['U16', 16, Uint16Array],
  ['F16', 16, Uint16Array],
  ['BF16', 16, Uint16Array],
  ['I32', 32, Int32Array],
  ['U32', 32, Uint32Array],
  ['F32', 32, Float32Array],
  ['C64', 64, Float32Array],
  ['F64', 64, Float64Array],
  ['I64', 64, BigInt64Array],
  ['U64', 64, BigUint64Array],
];
const traits = new Map(list.map(([name, bits, Array], order) => [name as string, { bits, Array, order }]));

/** The dtypes of the format, as the reference implementation orders them: by increasing alignment. */
export const safetensorsDTypes: readonly SafetensorsDType[] = Object.freeze(list.map(([name]) => name));

export const isDType = (name: unknown): name is SafetensorsDType => traits.has(name as string);

export const traitsOf = (dtype: SafetensorsDType): DTypeTraits => traits.get(dtype)!;

// What NumPy, PyTorch, TensorFlow.js and gradstep itself call them.
const otherNames: Readonly<Record<string, SafetensorsDType>> = {
  bool: 'BOOL',
  int8: 'I8',
  uint8: 'U8',
  int16: 'I16',
  uint16: 'U16',
  int32: 'I32',
  uint32: 'U32',
  int64: 'I64',
  uint64: 'U64',
  float16: 'F16',
  bfloat16: 'BF16',
  float32: 'F32',
  float64: 'F64',
  complex64: 'C64',
};

/** The dtype by its name in the format or elsewhere (`float32`); undefined where there is none. */
export function dtypeNamed(name: unknown): SafetensorsDType | undefined {
  if (isDType(name)) return name;
  return typeof name === 'string' && Object.hasOwn(otherNames, name) ? otherNames[name] : undefined;
}

const ofKind: Readonly<Record<string, SafetensorsDType>> = {
  Uint8Array: 'U8',
  Uint8ClampedArray: 'U8',
  Int8Array: 'I8',
  Int16Array: 'I16',
  Uint16Array: 'U16',
  Float16Array: 'F16',
  Int32Array: 'I32',
  Uint32Array: 'U32',
  Float32Array: 'F32',
  Float64Array: 'F64',
  BigInt64Array: 'I64',
  BigUint64Array: 'U64',
};

/** The dtype of a typed array that nothing else is said of. */
export const dtypeOfKind = (kind: string): SafetensorsDType => ofKind[kind]!;

/** Whether a typed array of this kind holds elements of the dtype as they are in a file. */
export function holds(kind: string, dtype: SafetensorsDType): boolean {
  const { Array } = traitsOf(dtype);
  return kind === Array.name || dtypeOfKind(kind) === dtype;
}
