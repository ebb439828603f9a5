import { expect } from 'chai';
import fc from 'fast-check';
import { readEvents, SummaryWriter, type ReadEvent, type ReadEventsOptions } from 'gradstep/tensorboard';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Encoder } from '../../lib/tensorboard/encoder';
import { scalarValue, summaryEvent, versionEvent } from '../../lib/tensorboard/events';
import { recordOf } from '../../lib/tensorboard/records';
import { payloadsOf } from '../support/event-files';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gradstep-'));
  path = join(folder, 'events');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const encoder = new Encoder();
const version = recordOf(versionEvent(encoder, 1));
/** An event whose fields a test writes itself, last ones first. */
const made = (write: (encoder: Encoder) => void): Uint8Array => {
  encoder.clear();
  write(encoder);
  return encoder.written.slice();
};
/** An event with one value, likewise. */
const valued = (write: (encoder: Encoder) => void): Uint8Array =>
  made((e) => e.message(5, () => e.message(1, () => write(e))));

async function read(bytes: Uint8Array, options?: ReadEventsOptions): Promise<ReadEvent[]> {
  writeFileSync(path, bytes);
  const events: ReadEvent[] = [];
  for await (const event of readEvents(path, options)) events.push(event);
  return events;
}

const failure = (promise: Promise<unknown>): Promise<string | null> =>
  promise.then(
    () => null,
    (error: unknown) => (error as Error).message,
  );

/** The values of the one event after the version. */
async function valuesIn(payload: Uint8Array): Promise<ReadEvent['values']> {
  const [, event] = await read(Buffer.concat([version, recordOf(payload)]));
  return event!.values;
}

/** A file of all kinds of values. */
async function sample(): Promise<Buffer> {
  const writer = new SummaryWriter(folder, { now: () => 1.25 });
  writer.scalar('loss', 0.5, 1);
  writer.text('text', 'words', 2);
  writer.histogram('h', [1, 2, -3], 3);
  writer.image('image', Uint8Array.of(0, 255), 4, { shape: [1, 2] });
  await writer.close();
  return readFileSync(writer.path);
}

describe('readEvents', () => {
  it('gives every event, its time, step and values', async () => {
    const [first, ...events] = await read(await sample());
    expect(first).to.deep.equal({ wallTime: 1.25, step: 0, fileVersion: 'brain.Event:2', values: [] });
    expect(events.map(({ step, wallTime, fileVersion }) => [step, wallTime, fileVersion])).to.deep.equal(
      [1, 2, 3, 4].map((step) => [step, 1.25, null]),
    );
    const values = events.flatMap((event) => event.values);
    expect(values[0]).to.deep.equal({ tag: 'loss', kind: 'scalar', value: 0.5 });
    expect(values[1]).to.deep.equal({ tag: 'text', kind: 'text', text: 'words' });
    expect(values[2]).to.deep.include({ tag: 'h', kind: 'histogram' });
    expect(values[3]).to.deep.include({ tag: 'image', kind: 'image', height: 1, width: 2 });
  });

  it('notices any byte that has changed, and says where its record starts', async () => {
    const bytes = await sample();
    const starts = payloadsOf(bytes).reduce((all, payload) => [...all, all.at(-1)! + payload.length + 16], [0]);
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const damaged = Buffer.from(bytes);
        damaged[at]! ^= change;
        const record = starts.filter((start) => start <= at).at(-1)!;
        const message = await failure(read(damaged, { allowTruncated: true }));
        expect(message).to.match(
          new RegExp(`^${path}: the record at byte ${record} cannot be read: the checksum of its `),
        );
      }),
      { numRuns: 300 },
    );
  });

  it('refuses a file that breaks off anywhere but between records, unless it may', async () => {
    const bytes = await sample();
    let end = 0;
    const ends = [0, ...payloadsOf(bytes).map((payload) => (end += payload.length + 16))];
    for (let length = 0; length <= bytes.length; length++) {
      const cut = bytes.subarray(0, length);
      const complete = ends.filter((at) => at <= length).length - 1;
      expect(await read(cut, { allowTruncated: true })).to.have.lengthOf(complete);
      const message = await failure(read(cut));
      if (ends[complete] === length) expect(message).to.equal(null);
      else expect(message).to.include(`the record at byte ${ends[complete]} cannot be read: it is not complete`);
    }
  });

  it('takes no memory for a length that is a lie', async () => {
    const { crc32c, masked } = await import('../../lib/tensorboard/crc.js');
    for (const length of [2n ** 33n, 2n ** 53n, 2n ** 64n - 1n, 100n]) {
      const header = Buffer.alloc(12);
      header.writeBigUInt64LE(length);
      header.writeUInt32LE(masked(crc32c(header, 0, 8)), 8);
      const message = await failure(read(Buffer.concat([version, header, Buffer.alloc(50)])));
      expect(message).to.match(/the record at byte 40 cannot be read: it is not complete/);
    }
  });

  it('refuses a file of something else', async () => {
    expect(await failure(read(Buffer.from('no events at all')))).to.match(/byte 0 .*the checksum of its length is/);
    const scalar = recordOf(summaryEvent(encoder, [['a', scalarValue(1)]], 1, 1));
    expect(await failure(read(scalar))).to.match(/no event file of version 2: its first event has the version null/);
    const other = recordOf(made((e) => e.string(3, 'brain.Event:1')));
    expect(await failure(read(other))).to.match(/has the version "brain.Event:1"/);
    expect(await read(new Uint8Array(0))).to.deep.equal([]);
  });

  it('passes over what it does not know', async () => {
    const [, event] = await read(
      Buffer.concat([
        version,
        recordOf(
          made((e) => {
            e.message(100, () => e.string(1, 'of the future'));
            e.float(99, 1);
            e.bytes(9, Uint8Array.of(255)); // meta_graph_def
            e.int64(2, 7);
          }),
        ),
      ]),
    );
    expect(event).to.deep.equal({ wallTime: 0, step: 7, fileVersion: null, values: [] });
    const audio = await valuesIn(
      valued((e) => {
        e.message(6, () => undefined);
        e.string(1, 'sound');
      }),
    );
    expect(audio).to.deep.equal([
      { tag: 'sound', kind: 'other', message: Uint8Array.of(10, 5, 115, 111, 117, 110, 100, 50, 0) },
    ]);
  });

  it('reads scalars as newer versions of TensorFlow write them', async () => {
    const content = new Uint8Array(Float32Array.of(0.25).buffer);
    for (const write of [
      (e: Encoder) => e.bytes(4, content),
      (e: Encoder) => e.bytes(5, content),
      (e: Encoder) => e.float(5, 0.25),
    ]) {
      const payload = valued((e) => {
        e.message(8, () => {
          write(e);
          e.int64(1, 1); // DT_FLOAT
        });
        e.string(1, 'loss');
      });
      expect(await valuesIn(payload)).to.deep.equal([{ tag: 'loss', kind: 'scalar', value: 0.25 }]);
    }
  });

  it('refuses messages that are none', async () => {
    const cases: [Uint8Array, RegExp][] = [
      [Uint8Array.of(0x09, 1, 2), /past the end/],
      [Uint8Array.of(0x10), /past the end/],
      [Uint8Array.of(0x10, ...new Uint8Array(10).fill(255), 1), /more than ten bytes/],
      [Uint8Array.of(0x13), /wire type 3/],
      [Uint8Array.of(0x00, 0), /no field 0/],
      [Uint8Array.of(0x0d, 0, 0, 0, 0), /field 1 has the wire type 5, expected 1/],
      [Uint8Array.of(0x2a, 5, 0), /past the end/],
      [Uint8Array.of(0x10, ...new Uint8Array(8).fill(255), 127), /beyond 2\^53/],
      [valued((e) => e.bytes(1, Uint8Array.of(0xff))), /utf-8/i],
      [valued((e) => e.message(5, () => e.doubles(6, [1, 2]))), /2 limits and 0 buckets/],
      [valued((e) => e.message(5, () => e.bytes(7, new Uint8Array(7)))), /no whole numbers/],
    ];
    for (const [payload, reason] of cases) {
      const message = await failure(read(Buffer.concat([version, recordOf(payload)])));
      expect(message)
        .to.match(/the record at byte 40 cannot be read: /)
        .and.to.match(reason);
    }
  });

  it('never says anything but that, whatever the bytes are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 60 }), async (payload) => {
        const message = await failure(read(Buffer.concat([version, recordOf(payload)])));
        if (message !== null) expect(message).to.match(/the record at byte 40 cannot be read: /);
      }),
      { numRuns: 500 },
    );
  });

  it('gives large histograms, which are longer than a list of arguments may be', async () => {
    const numbers = Float64Array.from({ length: 300_000 }, (_, i) => i);
    const payload = valued((e) =>
      e.message(5, () => {
        e.doubles(7, numbers);
        e.doubles(6, numbers);
      }),
    );
    const [value] = await valuesIn(payload);
    expect(value?.kind === 'histogram' && value.histogram.bucket.at(-1)).to.equal(299_999);
  });

  it('says what Node says of a file that is not there, and refuses other arguments', async () => {
    expect(await failure(readEvents(join(folder, 'none')).next())).to.match(/^ENOENT/);
    expect(() => readEvents(1 as never)).to.throw(TypeError, 'path must be a string');
    expect(() => readEvents(path, { truncated: true } as never)).to.throw(TypeError, 'truncated');
    expect(() => readEvents(path, { allowTruncated: 1 } as never)).to.throw(TypeError, 'allowTruncated');
  });

  it('closes the file when its reader stops early', async () => {
    const bytes = await sample();
    for (let i = 0; i < 5000; i++) {
      if (i === 0) writeFileSync(path, bytes);
      for await (const event of readEvents(path)) if (event.fileVersion !== null) break;
    }
  });
});
