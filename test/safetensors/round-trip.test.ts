import { expect } from 'chai';
import fc from 'fast-check';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Writable } from 'node:stream';
import {
  openSafetensors,
  parseSafetensors,
  safetensorsDTypes,
  serializeSafetensors,
  streamSafetensors,
  writeSafetensors,
  type SafetensorsInfo,
} from 'gradstep/safetensors';
import { scratch } from './files';
import { bitsOf, bytesIn, metadata, samples, type Sample } from './tensors';

const asRead = (tensors: ReadonlyMap<string, SafetensorsInfo>, read: (name: string) => Uint8Array) =>
  [...tensors.values()].map(
    ({ name, dtype, shape }) => [name, { dtype, shape: [...shape], data: read(name) }] as const,
  );

/** In the order of the file, said a second time. */
const inOrder = (tensors: readonly (readonly [string, Sample])[]) =>
  [...tensors].sort(
    ([a, left], [b, right]) =>
      safetensorsDTypes.indexOf(right.dtype) - safetensorsDTypes.indexOf(left.dtype) ||
      Buffer.compare(Buffer.from(a), Buffer.from(b)),
  );

class Collector extends Writable {
  readonly chunks: Uint8Array[] = [];

  override _write(chunk: Uint8Array, _encoding: string, done: () => void): void {
    this.chunks.push(chunk.slice());
    setImmediate(done);
  }
}

describe('safetensors that are written and read', () => {
  const path = scratch();

  it('are what they were, in order, padded to a cache line, aligned, and the same bytes from any order', () => {
    fc.assert(
      fc.property(samples, metadata, fc.integer(), (tensors, strings, seed) => {
        const bytes = serializeSafetensors(new Map(tensors), { metadata: new Map(strings) });
        const file = parseSafetensors(bytes);
        expect(asRead(file.tensors, (name) => bytesIn(file.read(name)).slice())).to.deep.equal(inOrder(tensors));
        expect(new Map(file.metadata)).to.deep.equal(new Map(strings));
        const [first] = file.tensors.values();
        if (first !== undefined) expect(first.byteOffset % 64).to.equal(0);
        for (const { dtype, byteOffset } of file.tensors.values()) {
          expect(byteOffset % Math.ceil(bitsOf(dtype) / 8)).to.equal(0);
        }
        const shuffled = tensors.map((pair, i) => [(seed * (i + 1)) % 7, pair] as const).sort(([a], [b]) => a - b);
        const again = serializeSafetensors(
          shuffled.map(([, pair]) => pair),
          { metadata: new Map([...strings].reverse()) },
        );
        expect(Buffer.compare(again, bytes)).to.equal(0);
      }),
    );
  });

  it('are the same bytes as a file, as pieces and in a stream', async () => {
    await fc.assert(
      fc.asyncProperty(samples, metadata, async (tensors, strings) => {
        const options = { metadata: new Map(strings) };
        const bytes = Buffer.from(serializeSafetensors(tensors, options));
        expect(await writeSafetensors(path('a'), tensors, { ...options, durable: false })).to.equal(bytes.length);
        expect(readFileSync(path('a')).equals(bytes)).to.be.true;
        const lazily = tensors.map(([name, { dtype, shape, data }]) => {
          return [name, { dtype, shape, data: () => Promise.resolve(data) }] as const;
        });
        const stream = streamSafetensors(lazily, options);
        expect(stream.byteLength).to.equal(bytes.length);
        const pieces: Uint8Array[] = [];
        for await (const piece of stream) pieces.push(piece);
        expect(Buffer.concat(pieces).equals(bytes)).to.be.true;
        const sink = new Collector();
        await writeSafetensors(sink, tensors, options);
        expect(Buffer.concat(sink.chunks).equals(bytes)).to.be.true;
        expect(sink.writableEnded).to.be.true;
      }),
      { numRuns: 30 },
    );
    expect(readdirSync(path('.'))).to.deep.equal(['a']);
  });

  it('may come piece by piece, each used before the next is asked for', async () => {
    const whole = Float32Array.from({ length: 1000 }, (_, i) => i / 7);
    const bytes = new Uint8Array(whole.buffer);
    async function* pieces(of: Uint8Array, length: number): AsyncGenerator<Uint8Array> {
      const buffer = new Uint8Array(length); // the same each time
      for (let at = 0; at < of.length; at += length) {
        await Promise.resolve();
        buffer.set(of.subarray(at, at + length));
        yield buffer.subarray(0, Math.min(length, of.length - at));
      }
    }
    const written = async (of: Uint8Array): Promise<Uint8Array> => {
      const parts: Uint8Array[] = [];
      const tensor = { shape: [10, 100], dtype: 'F32', data: () => pieces(of, 333) };
      for await (const part of streamSafetensors({ tensor, other: whole })) parts.push(part.slice());
      return Buffer.concat(parts);
    };
    const expected = serializeSafetensors({ tensor: { data: whole, shape: [10, 100] }, other: whole });
    expect(Buffer.compare(await written(bytes), expected)).to.equal(0);
    for (const [length, got] of [
      [3999, 'pieces of 3999'],
      [4001, 'pieces of more'],
    ] as const) {
      const error = await written(new Uint8Array(length)).catch((thrown: unknown) => String(thrown));
      expect(error).to.equal(`RangeError: tensor "tensor": [10,100] of F32 are 4000 bytes, got ${got}`);
    }
  });

  it('are read from files, whole and by rows, into new and given arrays, shared or not', async () => {
    await fc.assert(
      fc.asyncProperty(samples, fc.nat(4), fc.nat(4), async (tensors, a, b) => {
        writeFileSync(path('b'), serializeSafetensors(tensors));
        const file = await openSafetensors(path('b'));
        const memory = parseSafetensors(readFileSync(path('b')));
        for (const [name, { data, shape, dtype }] of tensors) {
          const whole = await file.read(name);
          expect(bytesIn(whole)).to.deep.equal(data);
          const shared = new (whole.constructor as Uint8ArrayConstructor)(new SharedArrayBuffer(data.length));
          expect(await file.read(name, { into: shared, dtype })).to.equal(shared);
          expect(bytesIn(shared).slice()).to.deep.equal(data);
          expect(memory.read(name, { into: new Uint8Array(data.length) })).to.deep.equal(data);
          if (shape.length === 0 || bitsOf(dtype) % 8 !== 0) continue;
          const rows = [Math.min(a, b, shape[0]!), Math.min(Math.max(a, b), shape[0]!)] as const;
          const row = shape[0] === 0 ? 0 : data.length / shape[0]!;
          const expected = data.slice(rows[0] * row, rows[1] * row);
          expect(bytesIn(await file.read(name, { rows }))).to.deep.equal(expected);
          expect(bytesIn(memory.read(name, { rows })).slice()).to.deep.equal(expected);
        }
        await file.close();
      }),
      { numRuns: 30 },
    );
  });

  it('are these very bytes, as the reference implementation makes them but for the padding', () => {
    // The example of its README and of its tests, whose header it pads to 8 bytes.
    const data = new Float32Array([0, 1, 2, 3, 4, 5]);
    const json = '{"attn.0":{"dtype":"F32","shape":[1,2,3],"data_offsets":[0,24]}}';
    const expected = Buffer.concat([
      Buffer.from([120, 0, 0, 0, 0, 0, 0, 0]),
      Buffer.from(json.padEnd(120)),
      Buffer.from([0, 0, 0, 0, 0, 0, 128, 63, 0, 0, 0, 64, 0, 0, 64, 64, 0, 0, 128, 64, 0, 0, 160, 64]),
    ]);
    expect(Buffer.from(serializeSafetensors({ 'attn.0': { data, shape: [1, 2, 3] } })).equals(expected)).to.be.true;
    const strings = { zeta: '\u001f"\\\n', alpha: 'é' };
    const mixed = { b: new Uint8Array(1), ä: new Int16Array(1), a: new Uint8Array(1), c: new BigInt64Array(0) };
    const bytes = serializeSafetensors(mixed, { metadata: strings });
    expect((bytes.length - 4) % 64).to.equal(0);
    expect(Buffer.from(bytes.subarray(8)).toString()).to.match(/} *\0{4}$/);
    expect(Buffer.from(bytes.subarray(8, -4)).toString().trimEnd()).to.equal(
      '{"__metadata__":{"alpha":"é","zeta":"\\u001f\\"\\\\\\n"},' +
        '"c":{"dtype":"I64","shape":[0],"data_offsets":[0,0]},' +
        '"ä":{"dtype":"I16","shape":[1],"data_offsets":[0,2]},' +
        '"a":{"dtype":"U8","shape":[1],"data_offsets":[2,3]},' +
        '"b":{"dtype":"U8","shape":[1],"data_offsets":[3,4]}}',
    );
  });

  it('may have a header of a hundred thousand tensors, and 100,000,000 bytes of it', () => {
    const many = Array.from({ length: 100_000 }, (_, i) => [`layer.${i}`, new Uint8Array(1)] as const);
    expect(parseSafetensors(serializeSafetensors(many)).tensors.size).to.equal(100_000);
    const most = 100_000_000 - 24; // 100,000,000 is not 56 more than a multiple of 64
    const { metadata } = parseSafetensors(serializeSafetensors({}, { metadata: { a: 'x'.repeat(most - 60) } }));
    expect(metadata.get('a')).to.have.lengthOf(most - 60);
    const larger = { metadata: { a: 'x'.repeat(most) } };
    expect(() => serializeSafetensors({}, larger)).to.throw(RangeError, /at most 100000000 are allowed/);
  }).timeout(60_000);
});
