import { expect } from 'chai';
import { AdamOptimizer, tensor, variable } from 'gradstep';
import {
  parseSafetensors,
  serializeSafetensors,
  streamSafetensors,
  type SafetensorsSources,
} from 'gradstep/safetensors';

const dtypesOf = (tensors: SafetensorsSources): string[] => {
  const file = parseSafetensors(serializeSafetensors(tensors));
  return [...file.tensors.values()].map(({ name, dtype, shape }) => `${name} ${dtype} [${shape.join()}]`);
};

describe('what safetensors are written from', () => {
  it('is arrays, whose class says the dtype', () => {
    const arrays = {
      a: new BigUint64Array(1),
      b: new BigInt64Array(1),
      c: new Float64Array(2),
      d: new Float32Array(3),
      e: new Uint32Array(1),
      f: new Int32Array(1),
      g: new Uint16Array(1),
      h: new Int16Array(1),
      i: new Int8Array(1),
      j: Buffer.from('ab'),
      k: new Uint8ClampedArray(1) as unknown as Uint8Array,
    };
    expect(dtypesOf(arrays).join()).to.equal(
      'a U64 [1],b I64 [1],c F64 [2],d F32 [3],e U32 [1],f I32 [1],g U16 [1],h I16 [1],i I8 [1],j U8 [2],k U8 [1]',
    );
  });

  it('is objects with an array, a shape and a dtype by any of its names', () => {
    const objects = {
      a: { data: new Uint16Array(4), shape: [2, 2], dtype: 'bfloat16' },
      b: { array: new Uint16Array(1), shape: [], dtype: 'F16' },
      c: { memory: new Uint8Array(2), dtype: 'bool' },
      d: { data: new Uint8Array(3), dtype: 'F8_E4M3' },
      e: { data: new Float32Array(4), shape: [2], dtype: 'complex64' },
      f: { data: new Uint8Array(12), shape: [3], dtype: 'float32' },
      g: { data: new Uint8Array(3), shape: [2, 2], dtype: 'F6_E3M2' },
    };
    expect(dtypesOf(objects)).to.have.members([
      'a BF16 [2,2]',
      'b F16 []',
      'c BOOL [2]',
      'd F8_E4M3 [3]',
      'e C64 [2]',
      'f F32 [3]',
      'g F6_E3M2 [2,2]',
    ]);
  });

  it("is gradstep's tensors, variables and state", () => {
    const w = variable([[1, 2]], { name: 'w' });
    const optimizer = new AdamOptimizer();
    optimizer.applyGradients([[tensor([[1, 1]]), w]]);
    const state = optimizer.state().map((entry) => [entry.key, entry] as const);
    const bytes = serializeSafetensors([['w', w], ['t', tensor([3])], ...state]);
    const file = parseSafetensors(bytes);
    expect(file.tensors.get('w'))
      .to.include({ dtype: 'F32' })
      .and.to.deep.include({ shape: [1, 2] });
    expect(file.read('w')).to.deep.equal(new Float32Array(w.data));
    expect(file.read('t')).to.deep.equal(new Float32Array([3]));
    for (const [key, { memory, shape }] of state) {
      expect(file.read(key)).to.deep.equal(memory.slice());
      expect(file.tensors.get(key)!.shape).to.deep.equal([...shape]);
    }
  });

  const refused: Record<string, readonly [unknown, RegExp]> = {
    nothing: [undefined, /^tensors must be an object or a Map of them by name, got undefined$/],
    'an array alone': [new Float32Array(2), /^tensors must be an object or a Map/],
    'names alone': [['a'], /^tensors must be \[name, tensor\], got "a"$/],
    'a name that is none': [[[1, new Uint8Array(1)]], /^tensors: a name must be a string, got 1$/],
    'half of a pair in a name': [
      { 'a\ud800': new Uint8Array(1) },
      /^tensors: the name "a\\ud800" has half of a surrogate/,
    ],
    'the name of metadata': [{ __metadata__: new Uint8Array(1) }, /^tensors: __metadata__ is an option/],
    'two of one name': [
      [
        ['a', new Uint8Array(1)],
        ['a', new Uint8Array(1)],
      ],
      /^tensors: there are two of the name "a"$/,
    ],
    null: [{ a: null }, /^tensor "a" must be a typed array or an object with one, got null$/],
    'plain numbers': [{ a: { data: [1, 2] } }, /^tensor "a" must have a typed array as data, got an array of 2$/],
    'another shape': [
      { a: { data: new Float32Array(6), shape: [2, 2] } },
      /^tensor "a": \[2,2\] of F32 are 16 bytes, .* 24$/,
    ],
    'another dtype': [
      { a: { data: new Float32Array(2), dtype: 'I32' } },
      /^tensor "a": I32 is written from Int32Array, got a Float/,
    ],
    'an unknown dtype': [
      { a: { data: new Float32Array(2), dtype: 'string' } },
      /^tensor "a": there is no dtype "string"$/,
    ],
    'a negative length': [
      { a: { data: new Float32Array(2), shape: [-2] } },
      /shape must have whole numbers from 0, got -2$/,
    ],
    'a shape of text': [{ a: { data: new Float32Array(2), shape: ['2'] } }, /shape must have numbers, got "2"$/],
    'too much': [{ a: { data: new Float32Array(2), shape: [2 ** 40, 2 ** 40] } }, /has too many elements$/],
    'half a byte': [
      { a: { data: new Uint8Array(2), shape: [3], dtype: 'F4' } },
      /^tensor "a": \[3\] of F4 fill no whole bytes$/,
    ],
    'a function that says nothing': [{ a: { data: () => new Uint8Array(1) } }, /needs a shape and a dtype beside it$/],
    'a function where nothing waits': [
      { a: { data: () => new Uint8Array(1), shape: [1], dtype: 'U8' } },
      /^tensor "a": a function as data cannot be awaited here$/,
    ],
  };
  for (const [what, [tensors, message]] of Object.entries(refused)) {
    it(`is not ${what}`, () => {
      expect(() => serializeSafetensors(tensors as SafetensorsSources)).to.throw(message);
      if (!what.includes('waits')) expect(() => streamSafetensors(tensors as SafetensorsSources)).to.throw(message);
    });
  }

  it('has metadata of strings and no options that there are not', () => {
    const write = (options: unknown) => () => serializeSafetensors({}, options as never);
    expect(write({ metadata: { epoch: 3 } })).to.throw(TypeError, 'metadata: "epoch" must be a string, got 3');
    expect(write({ metadata: { a: '\udc00' } })).to.throw(RangeError, 'metadata: the value "\\udc00" has half');
    expect(write({ metadata: 'a' })).to.throw(TypeError, 'metadata must be an object or a Map of strings, got "a"');
    expect(write({ meta: {} })).to.throw(TypeError, "options: there is no 'meta'");
  });
});

describe('bytes of safetensors in memory', () => {
  const tensors = { a: new Float32Array([1, 2]), b: new Uint8Array([3]) };

  it('are viewed where they are aligned, and copied where not', () => {
    const bytes = serializeSafetensors(tensors);
    const view = parseSafetensors(bytes).read('a', { dtype: 'F32' });
    expect(view.buffer).to.equal(bytes.buffer);
    const moved = new Uint8Array(bytes.length + 1);
    moved.set(bytes, 1);
    const copy = parseSafetensors(moved.subarray(1)).read('a', { dtype: 'F32' });
    expect(copy).to.deep.equal(view);
    expect(copy.buffer).not.to.equal(moved.buffer);
    expect(parseSafetensors(moved.subarray(1)).read('b').buffer).to.equal(moved.buffer);
  });

  it('may be in a buffer or in shared memory', () => {
    const bytes = serializeSafetensors(tensors);
    const shared = new SharedArrayBuffer(bytes.length);
    new Uint8Array(shared).set(bytes);
    for (const buffer of [bytes.buffer, shared]) {
      expect(parseSafetensors(buffer).read('a').buffer).to.equal(buffer);
    }
    expect(() => parseSafetensors([1, 2] as never)).to.throw(TypeError, 'bytes must be a typed array or a buffer');
  });

  it('must stay where they are', () => {
    const bytes = serializeSafetensors(tensors);
    const file = parseSafetensors(bytes);
    structuredClone(bytes, { transfer: [bytes.buffer as ArrayBuffer] });
    expect(() => file.read('a')).to.throw(Error, 'the bytes of the file have been transferred or shrunk');
  });
});
