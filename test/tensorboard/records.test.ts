import { expect } from 'chai';
import fc from 'fast-check';
import { crc32 as zlibCrc } from 'node:zlib';
import { crc32, crc32c, masked } from '../../lib/tensorboard/crc';
import { Encoder } from '../../lib/tensorboard/encoder';
import { scalarValue, summaryEvent, versionEvent } from '../../lib/tensorboard/events';
import { recordOf, writeRecord } from '../../lib/tensorboard/records';
import { payloadsOf } from '../support/event-files';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('checksums', () => {
  it('are those that RFC 3720 and others print', () => {
    const ascending = Uint8Array.from({ length: 32 }, (_, i) => i);
    const vectors: [Uint8Array, number][] = [
      [Buffer.from('123456789'), 0xe3069283],
      [new Uint8Array(32), 0x8a9136aa],
      [new Uint8Array(32).fill(255), 0x62a8ab43],
      [ascending, 0x46dd794e],
      [ascending.slice().reverse(), 0x113fdb5c],
      [new Uint8Array(0), 0],
    ];
    for (const [bytes, crc] of vectors) expect(crc32c(bytes)).to.equal(crc);
    expect(crc32(Buffer.from('123456789'))).to.equal(0xcbf43926);
    expect(crc32(Buffer.from('IEND'))).to.equal(0xae426082); // the last four bytes of every PNG
  });

  it('of a part are those of the part', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.nat(20), fc.nat(20), (bytes, a, b) => {
        const [start, end] = [Math.min(a, bytes.length), Math.max(Math.min(a, bytes.length), bytes.length - b)];
        expect(crc32c(bytes, start, end)).to.equal(crc32c(bytes.subarray(start, end)));
      }),
    );
  });

  it('of PNG are those of zlib', function () {
    if (typeof zlibCrc !== 'function') this.skip(); // Node 22 has it
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(crc32(bytes)).to.equal(zlibCrc(bytes));
      }),
    );
  });
});

describe('records', () => {
  it("are TensorFlow's, byte by byte", () => {
    // The event that TensorFlow starts a file with, at 1.5 s; the first twelve bytes are in every file of its older versions.
    const version = versionEvent(new Encoder(), 1.5);
    expect(hex(version)).to.equal(`09000000000000f83f1a0d${hex(Buffer.from('brain.Event:2'))}`);
    const record = recordOf(version);
    expect(hex(record.subarray(0, 12))).to.equal('1800000000000000a37f4b22');
    expect(hex(record.subarray(12, -4))).to.equal(hex(version));
    expect(Buffer.from(record).readUInt32LE(record.length - 4)).to.equal(masked(crc32c(version)));
    expect(hex(summaryEvent(new Encoder(), [['a', scalarValue(1)]], 2, 300))).to.equal(
      '0900000000000000' + '40' + '10ac02' + '2a0a' + '0a08' + '0a0161' + '150000803f',
    );
  });

  it('mask a checksum by turning it and adding to it', () => {
    expect(masked(0)).to.equal(0xa282ead8);
    expect(masked(0xffffffff)).to.equal(0xa282ead7);
    expect(masked(0x8a9136aa)).to.equal((((0x8a9136aa >>> 15) | (0x8a9136aa << 17)) + 0xa282ead8) >>> 0);
  });

  it('follow each other in one array and come out as they were', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 })), (payloads) => {
        const out = new Uint8Array(payloads.reduce((sum, { length }) => sum + length + 16, 0));
        let end = 0;
        for (const payload of payloads) end = writeRecord(out, end, payload);
        expect(end).to.equal(out.length);
        expect(payloadsOf(Buffer.from(out)).map(hex)).to.deep.equal(payloads.map(hex));
      }),
    );
  });

  it('have numbers of 64 bits, negative ones too', () => {
    const step = (value: number): string => {
      const encoder = new Encoder();
      encoder.int64(2, value);
      return hex(encoder.written);
    };
    expect(step(1)).to.equal('1001');
    expect(step(127)).to.equal('107f');
    expect(step(128)).to.equal('108001');
    expect(step(2 ** 31)).to.equal('108080808008');
    expect(step(2 ** 32)).to.equal('108080808010');
    expect(step(Number.MAX_SAFE_INTEGER)).to.equal('10ffffffffffffff0f');
    expect(step(-1)).to.equal('10ffffffffffffffffff01');
    expect(step(-(2 ** 40))).to.equal('108080808080e0ffffff01');
  });
});
