import { expect } from 'chai';
import { readEvents, SummaryWriter } from 'gradstep/tensorboard';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventFile } from '../../lib/tensorboard/event-file';
import { strictValues } from '../support/event-files';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'gradstep-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** The message that a promise is rejected with, or null. */
const failure = (promise: Promise<void>): Promise<string | null> =>
  promise.then(
    () => null,
    (error: unknown) => (error as Error).message,
  );

describe('a file that cannot be written', () => {
  it('is told once, and written from the start when it can be', async () => {
    const blocked = join(folder, 'runs');
    writeFileSync(blocked, 'no folder');
    const told: string[] = [];
    const writer = new SummaryWriter(join(blocked, 'first'), { onError: ({ message }) => told.push(message) });
    writer.scalar('a', 1, 1);
    expect(await failure(writer.flush())).to.match(
      /^cannot write .*runs.*: ENOTDIR.*; about \d+ bytes are not written$/,
    );
    writer.scalar('a', 2, 2);
    expect(await failure(writer.flush())).to.match(/ENOTDIR/);
    expect(told).to.have.lengthOf(1);
    rmSync(blocked);
    expect(await failure(writer.flush())).to.equal(null);
    expect(strictValues(writer.path).map(({ step }) => step)).to.deep.equal([1, 2]);
    expect(await failure(writer.close())).to.equal(null);
  });

  it('is closed all the same, which says that it was not written', async () => {
    const writer = new SummaryWriter('/dev/null/runs', { onError: () => undefined });
    writer.scalar('a', 1, 1);
    const closed = writer.close();
    expect(await failure(closed)).to.match(/cannot write .*dev.*null/);
    expect(await failure(writer.close())).to.equal(await failure(closed));
  });

  it('is no reason for anything to throw, not even what is told of it', async () => {
    const thrower = (): never => {
      throw new Error('mine');
    };
    const warnings: string[] = [];
    const listen = ({ message }: Error): number => warnings.push(message);
    process.on('warning', listen);
    const writer = new SummaryWriter('/dev/null/runs', { onError: thrower });
    writer.scalar('a', 1, 1);
    expect(await failure(writer.close())).to.match(/cannot write/);
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', listen);
    expect(warnings).to.include('onError threw: mine');
  });

  it('goes on in the middle of a record once a full disk has room again', async function () {
    const mounted = (...options: string[]): boolean =>
      spawnSync('mount', ['-t', 'tmpfs', '-o', options.join(), 'none', folder]).status === 0;
    if (process.platform !== 'linux' || !mounted('size=64k')) this.skip(); // that takes its administrator
    try {
      const told: string[] = [];
      const writer = new SummaryWriter(folder, { onError: ({ message }) => told.push(message) });
      const values = Array.from({ length: 2000 }, (_, i) => 1.1 ** (i % 300) * (i % 2 ? 1 : -1));
      for (let step = 0; step < 30; step++) writer.histogram('h', values, step);
      expect(await failure(writer.flush())).to.match(/ENOSPC/);
      expect(told).to.have.lengthOf(1);
      expect(() => strictValues(writer.path)).to.throw('past the end');
      let complete = 0;
      for await (const { values } of readEvents(writer.path, { allowTruncated: true })) complete += values.length;
      expect(complete).to.be.within(1, 29);
      writer.scalar('after', 1, 30);
      expect(mounted('remount', 'size=4m')).to.equal(true);
      expect(await failure(writer.close())).to.equal(null);
      expect(strictValues(writer.path).map(({ step }) => step)).to.deep.equal(Array.from({ length: 31 }, (_, i) => i));
    } finally {
      spawnSync('umount', [folder]);
    }
  });
});

describe('a loop that lets nothing be written', () => {
  it('drops what finds no room, counts it and says so', async () => {
    const told: string[] = [];
    const writer = new SummaryWriter(folder, {
      maxWaitingBytes: 10_000,
      onError: ({ message }) => told.push(message),
    });
    for (let step = 0; step < 1000; step++) writer.scalar('loss', step, step);
    writer.image('image', new Uint8Array(20_000), 1000, { shape: [100, 200] });
    const { dropped } = writer;
    expect(dropped).to.be.within(700, 999);
    expect(told).to.have.lengthOf(1);
    expect(told[0]).to.match(/bytes wait, which is all that may, so records are dropped$/);
    expect(await failure(writer.flush())).to.include(`${dropped} records were dropped`);
    writer.scalar('loss', 1, 2000);
    expect(await failure(writer.close())).to.equal(null);
    const steps = strictValues(writer.path).map(({ step }) => step);
    expect(steps).to.deep.equal([...Array.from({ length: 1001 - dropped }, (_, i) => i), 2000]);
  });
});

describe('an event file', () => {
  it('leaves out a record that cannot be made, and keeps the others', async () => {
    const told: string[] = [];
    const path = join(folder, 'events');
    const file = new EventFile(() => path, {
      chunkBytes: 100,
      mostBytes: 1e6,
      delay: 1000,
      onError: ({ message }) => told.push(message),
    });
    const { versionEvent, scalarValue, summaryEvent } = await import('../../lib/tensorboard/events.js');
    const { Encoder } = await import('../../lib/tensorboard/encoder.js');
    const encoder = new Encoder();
    file.append(versionEvent(encoder, 1));
    file.appendLater(() => Promise.reject(new Error('no memory')), 1000);
    file.append(summaryEvent(encoder, [['a', scalarValue(1)]], 1, 1));
    expect(await failure(file.close())).to.match(/1 records were dropped/);
    expect(told).to.deep.equal([`a record of ${path} could not be made: no memory`]);
    expect(strictValues(path)).to.have.lengthOf(1);
  });
});
