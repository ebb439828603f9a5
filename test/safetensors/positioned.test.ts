import { expect } from 'chai';
import fc from 'fast-check';
import { SafetensorsError } from '../../lib/safetensors/error';
import { readFully, writeFully } from '../../lib/safetensors/positioned';
import { refuses } from './files';

const bytes = Uint8Array.from({ length: 200 }, (_, i) => i);

/** A file of the bytes above, of which each call gives no more than the next of these numbers, over and over. */
function slowFile(most: readonly number[], onRead: () => void = () => undefined) {
  let calls = 0;
  return {
    read(into: Uint8Array, offset: number, length: number, position: number) {
      onRead();
      const count = Math.min(most[calls++ % most.length]!, length);
      const part = bytes.subarray(position, position + count);
      into.set(part, offset);
      return Promise.resolve({ bytesRead: part.length });
    },
    close: () => Promise.resolve(),
  };
}

const some = fc.array(fc.integer({ min: 1, max: 70 }), { minLength: 1 });

describe('a system that does less than it is asked to', () => {
  it('is asked again until all has been read', async () => {
    await fc.assert(
      fc.asyncProperty(some, fc.nat(100), fc.nat(100), async (most, position, length) => {
        const into = new Uint8Array(length);
        await readFully(slowFile(most), into, position);
        expect(into).to.deep.equal(bytes.subarray(position, position + length));
      }),
    );
    const beyond = readFully(slowFile([7]), new Uint8Array(50), 190, 'w');
    await refuses(beyond, SafetensorsError, /^tensor "w": the file has become shorter .*\(byte 200\)$/);
  });

  it('is not given an array that has gone away in the meantime', async () => {
    const into = new Uint8Array(100);
    const read = readFully(
      slowFile([60], () => queueMicrotask(() => structuredClone(into, { transfer: [into.buffer] }))),
      into,
      0,
    );
    await refuses(read, Error, /^the array that is read into has been transferred or shrunk$/);
  });

  it('is asked again until all has been written', async () => {
    await fc.assert(
      fc.asyncProperty(some, some, async (most, lengths) => {
        let calls = 0;
        const written: number[] = [];
        const batch = lengths.map((length) => bytes.subarray(length, 2 * length));
        await writeFully(
          {
            writev(pieces) {
              const all = pieces.flatMap((piece) => [...piece]).slice(0, most[calls++ % most.length]);
              written.push(...all);
              return Promise.resolve({ bytesWritten: all.length });
            },
          },
          batch,
        );
        expect(written).to.deep.equal(batch.flatMap((piece) => [...piece]));
      }),
    );
    const nothing = { writev: () => Promise.resolve({ bytesWritten: 0 }) };
    await refuses(writeFully(nothing, [bytes]), Error, /^the system has written nothing$/);
  });
});
