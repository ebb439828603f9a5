import { expect } from 'chai';
import fc from 'fast-check';
import { Readable } from 'node:stream';
import { readSafetensors, serializeSafetensors, streamSafetensors } from 'gradstep/safetensors';
import { fileOf, refuses, refusesFile } from './files';
import { bytesIn, metadata, samples } from './tensors';

async function all(source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) {
  const incoming = await readSafetensors(source);
  const tensors = [];
  for await (const tensor of incoming) tensors.push(tensor);
  return { metadata: incoming.metadata, tensors };
}

const header = '{"w":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}';

describe('safetensors that come in pieces', () => {
  it('are what was sent, however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(samples, metadata, fc.array(fc.nat(50)), async (tensors, strings, cuts) => {
        const bytes = serializeSafetensors(tensors, { metadata: new Map(strings) });
        const pieces = [];
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const length = [...cuts, 7][i % (cuts.length + 1)]!;
          pieces.push(bytes.subarray(at, at + length));
          at += length;
        }
        const received = await all(pieces);
        expect(new Map(received.metadata)).to.deep.equal(new Map(strings));
        expect(received.tensors).to.have.lengthOf(tensors.length);
        for (const { name, dtype, shape, data } of received.tensors) {
          const sent = new Map(tensors).get(name)!;
          expect({ dtype, shape: [...shape], data: bytesIn(data) }).to.deep.equal({ ...sent });
        }
      }),
      { numRuns: 50 },
    );
  });

  it('may come from a Readable, with tensors of more than a piece', async () => {
    const large = Float64Array.from({ length: 400_000 }, (_, i) => i);
    const { tensors } = await all(Readable.from(streamSafetensors({ large, small: new Uint8Array([1]) })));
    expect(tensors.map(({ name }) => name)).to.deep.equal(['large', 'small']);
    const [first] = tensors;
    if (first?.dtype !== 'F64') throw new Error('another dtype');
    expect(Buffer.compare(bytesIn(first.data), bytesIn(large))).to.equal(0);
  });

  it('are refused for what is missing or too much, once that is known', async () => {
    await refusesFile(all([]), 'header-too-small', /^a file of 0 bytes/);
    await refusesFile(all([fileOf(header, 4).subarray(0, 30)]), 'header-incomplete', /of which 22 came$/);
    await refusesFile(all([fileOf('{"w"}')]), 'invalid-json', /expected ':'/);
    await refusesFile(all([fileOf(header, 3)]), 'data-incomplete', /^tensor "w": the file ends after 3 of its 4 bytes/);
    await refusesFile(all([fileOf(header, 5)]), 'trailing-bytes', /goes on behind its last tensor \(byte 65\)$/);
    const claims = header.replaceAll('4', String(2 ** 52));
    await refusesFile(all([fileOf(claims, 4)]), 'data-incomplete', /after 4 of its 4503599627370496 bytes/);
    await refuses(all(['abc'] as never), TypeError, /^source must have Uint8Arrays, got "abc"$/);
    await refuses(readSafetensors(undefined as never), TypeError, /^source must be iterable/);
  });

  it('end their source when they are refused or left', async () => {
    let ended = 0;
    function* source(file: Uint8Array): Generator<Uint8Array> {
      try {
        yield file;
        yield file;
      } finally {
        ended++;
      }
    }
    await refusesFile(readSafetensors(source(fileOf('[]'))), 'invalid-start', /must start with/);
    expect(ended).to.equal(1);
    for await (const { name } of await readSafetensors(source(fileOf(header, 4)))) {
      expect(name).to.equal('w');
      break;
    }
    expect(ended).to.equal(2);
  });
});
