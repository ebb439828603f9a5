import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import type { SafetensorsError } from 'gradstep/safetensors';
import { openSafetensors, parseSafetensors, serializeSafetensors, writeSafetensors } from 'gradstep/safetensors';
import { fileOf, refuses, refusesFile, scratch } from './files';

const tensors = { a: new Float32Array([1, 2, 3]), b: new Uint8Array([4, 5]) };

describe('an open safetensors file', () => {
  const path = scratch();
  const opened = async () => {
    writeFileSync(path('model'), serializeSafetensors(tensors, { metadata: { format: 'pt' } }));
    return openSafetensors(path('model'));
  };

  it('is opened by a path or a URL, and tells what is in it', async () => {
    await (await opened()).close();
    const file = await openSafetensors(pathToFileURL(path('model')));
    expect([...file.metadata]).to.deep.equal([['format', 'pt']]);
    const { byteOffset, ...info } = file.tensors.get('a')!;
    expect(info).to.deep.equal({ name: 'a', dtype: 'F32', shape: [3], size: 3, byteLength: 12 });
    expect(byteOffset % 64).to.equal(0);
    await file.close();
  });

  it('reads many tensors at once', async () => {
    const many = Array.from({ length: 200 }, (_, i) => [`${i}`, new Int32Array(5000).fill(i)] as const);
    writeFileSync(path('many'), serializeSafetensors(many));
    const file = await openSafetensors(path('many'));
    const read = await Promise.all([...file.tensors.keys()].map((name) => file.read(name, { dtype: 'I32' })));
    [...file.tensors.keys()].forEach((name, i) => expect(new Set(read[i])).to.deep.equal(new Set([Number(name)])));
    await file.close();
  });

  it('is closed once its reads are over, which end well; further reads are errors', async () => {
    const file = await opened();
    const reads = Promise.all([file.read('a'), file.read('b')]);
    await Promise.all([file.close(), file.close()]);
    expect(await reads).to.deep.equal(Object.values(tensors));
    await refuses(file.read('a'), Error, /model has been closed$/);
    const other = await opened();
    await other[Symbol.asyncDispose]();
    await refuses(other.readFloat32('a'), Error, /has been closed$/);
  });

  it('refuses what it has not, and what does not fit', async () => {
    const file = await opened();
    await refusesFile(file.read('c'), 'no-such-tensor', /model: tensor "c": .* it has "a", "b"$/);
    await refusesFile(file.read('a', { dtype: 'F64' }), 'wrong-dtype', /tensor "a": it is F32, not F64$/);
    await refusesFile(file.readFloat32('b'), 'wrong-dtype', /tensor "b": it is U8; F32, F16 and BF16/);
    await refuses(file.read('a', { into: new Float32Array(4) }), RangeError, /into must have 3 elements .*, got 4$/);
    await refuses(file.read('a', { into: new Uint8Array(3) }), RangeError, /into must have 12 bytes .*, got 3$/);
    await refuses(
      file.read('a', { into: new Int32Array(3) }),
      TypeError,
      /Float32Array or Uint8Array .*an Int32Array$/,
    );
    await refuses(file.read('a', { rows: [1, 4] }), RangeError, /within the 3 .*got \[1, 4\]$/);
    await refuses(file.read('a', { rows: [2, 1] }), RangeError, /rows must be in order/);
    await refuses(file.read('a', { rows: [0.5, 1] }), RangeError, /rows must be in order/);
    await refuses(file.read('a', { rows: 1 } as never), TypeError, /rows must be \[begin, end\], got 1$/);
    await refuses(file.read('a', { row: [0, 1] } as never), TypeError, /there is no 'row', did you mean 'rows'\?$/);
    await refuses(file.read(1 as never), TypeError, /name must be a string, got 1$/);
    await file.close();
  });

  it('that becomes shorter while it is read is one clear error', async () => {
    const file = await opened();
    truncateSync(path('model'), statSync(path('model')).size - 4);
    expect(await file.read('a', { rows: [0, 1] })).to.deep.equal(new Float32Array([1]));
    await refusesFile(file.read('b'), 'file-changed', /tensor "b": the file has become shorter .* \(byte \d+\)$/);
    await refusesFile(file.read('a'), 'file-changed', /tensor "a": the file has become shorter/);
    await file.close();
  });

  it('that is damaged is told with its path, and is not left open', async () => {
    writeFileSync(path('damaged'), fileOf('{"w":1}'));
    const descriptors = () => (process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0);
    const before = descriptors();
    await refusesFile(openSafetensors(path('damaged')), 'invalid-tensor', /^\/.*damaged: tensor "w": .* \(byte 13\)$/);
    await openSafetensors(path('damaged')).catch((error: SafetensorsError) => {
      const { code, tensor, offset, path: where, name } = error;
      const expected = {
        code: 'invalid-tensor',
        tensor: 'w',
        offset: 13,
        where: path('damaged'),
        name: 'SafetensorsError',
      };
      expect({ code, tensor, offset, where, name }).to.deep.equal(expected);
    });
    expect(descriptors()).to.equal(before);
  });

  it('is a file: folders and pipes are told, a missing one is told by the system', async function () {
    await refuses(openSafetensors(path('none')), Error, /^ENOENT.*none/);
    await refuses(openSafetensors(undefined as never), TypeError, /path must be a string or a URL, got undefined/);
    await refuses(openSafetensors(new URL('https://example.org/')), TypeError, /scheme file/);
    if (process.platform === 'win32') this.skip();
    await refusesFile(openSafetensors(path('.')), 'not-a-file', /a folder, a pipe or a device/);
    if (spawnSync('mkfifo', [path('pipe')]).status !== 0) this.skip();
    await refusesFile(openSafetensors(path('pipe')), 'not-a-file', /a folder, a pipe or a device/);
  });

  it('takes no memory for what its header only claims', async () => {
    const claimed = 2 ** 50;
    const header = `{"w":{"dtype":"U8","shape":[${claimed}],"data_offsets":[0,${claimed}]}}`;
    writeFileSync(path('claims'), fileOf(header, 16));
    await refusesFile(openSafetensors(path('claims')), 'data-incomplete', /the file ends at byte/);
  });

  it('may be larger than 4 GiB', async function () {
    if (process.platform !== 'linux') this.skip(); // where files with holes take no room
    const size = 5 * 2 ** 30;
    const header = `{"w":{"dtype":"U8","shape":[${size / 4},4],"data_offsets":[0,${size}]}}`;
    const bytes = fileOf(header);
    const descriptor = openSync(path('large'), 'w');
    writeSync(descriptor, bytes, 0, bytes.length, 0);
    writeSync(descriptor, Buffer.from([7]), 0, 1, bytes.length + size - 1);
    closeSync(descriptor);
    const file = await openSafetensors(path('large'));
    const rows = [size / 4 - 2, size / 4] as const;
    expect(await file.read('w', { rows })).to.deep.equal(new Uint8Array([0, 0, 0, 0, 0, 0, 0, 7]));
    await file.close();
    truncateSync(path('large'), 0);
  });
});

describe('a safetensors file that is written', () => {
  const path = scratch();
  const old = Buffer.from('the old file');

  it('takes the place of the old one as a whole, with its permissions', async () => {
    writeFileSync(path('model'), old);
    chmodSync(path('model'), 0o600);
    const bytes = await writeSafetensors(path('model'), tensors);
    expect(statSync(path('model')).size).to.equal(bytes);
    if (process.platform !== 'win32') expect(statSync(path('model')).mode & 0o777).to.equal(0o600);
    expect(readdirSync(path('.'))).to.deep.equal(['model']);
  });

  it('leaves the old one and nothing else when its data fail', async () => {
    writeFileSync(path('model'), old);
    const failing = (data: () => never) => ({ ...tensors, z: { data, shape: [2], dtype: 'float32' } });
    const thrown = failing(() => {
      throw new Error('no data today');
    });
    await refuses(writeSafetensors(path('model'), thrown), Error, /^no data today$/);
    const short = failing(() => new Float32Array(3) as never);
    await refuses(writeSafetensors(path('model'), short), RangeError, /"z": \[2\] of F32 are 8 bytes, got .* 12$/);
    const other = failing(() => new Int32Array(2) as never);
    await refuses(
      writeSafetensors(path('model'), other),
      TypeError,
      /"z": F32 is written from Float32Array, got an Int32Array$/,
    );
    expect(readFileSync(path('model')).equals(old)).to.be.true;
    expect(readdirSync(path('.'))).to.deep.equal(['model']);
  });

  it('leaves nothing where there is no room or no permission', async function () {
    await refuses(writeSafetensors(path('none/model'), tensors), Error, /^ENOENT/);
    if (process.platform !== 'linux') this.skip();
    mkdirSync(path('full'));
    mkdirSync(path('full/model'));
    await refuses(writeSafetensors(path('full/model'), tensors), Error, /^EISDIR/);
    expect(readdirSync(path('full'))).to.deep.equal(['model']);
    await refuses(writeSafetensors(new FullSink(), tensors), Error, /^ENOSPC: no room$/);
  });

  it("is of TensorFlow.js's tensors, whose data come later, as methods of theirs", async () => {
    const tensor = {
      shape: [2],
      dtype: 'int32',
      values: new Int32Array([1, 2]),
      data() {
        return Promise.resolve(this.values);
      },
    };
    await writeSafetensors(path('tfjs'), { tensor }, { durable: false });
    const file = await openSafetensors(path('tfjs'));
    expect(await file.read('tensor')).to.deep.equal(new Int32Array([1, 2]));
    await file.close();
  });

  it('is the old or the new one when the process is killed in the middle', () => {
    const large = `
      const { writeSafetensors } = require('gradstep/safetensors');
      const large = new Float32Array(2 ** 20);
      const data = () => new Promise((resolve) => setTimeout(() => resolve(large), 5));
      const tensors = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [i, { data, shape: [2 ** 20], dtype: 'F32' }]));
      void writeSafetensors(${JSON.stringify(path('killed'))}, tensors);
      setTimeout(() => process.kill(process.pid, 'SIGKILL'), 60);`;
    writeFileSync(path('killed'), old);
    const { signal } = spawnSync(process.execPath, ['-e', large], { cwd: __dirname });
    if (process.platform !== 'win32') expect(signal).to.equal('SIGKILL');
    const file = readFileSync(path('killed'));
    if (!file.equals(old)) expect(parseSafetensors(file).tensors.size).to.equal(20);
  });

  it('takes the place of a link, not of what it leads to', async function () {
    if (process.platform === 'win32') this.skip();
    writeFileSync(path('target'), old);
    symlinkSync('target', path('link'));
    await writeSafetensors(path('link'), tensors, { durable: false });
    expect(readFileSync(path('target')).equals(old)).to.be.true;
  });

  it('is of the array at the time, which must not be gone', async () => {
    const gone = new Float32Array(2);
    const data = (): Uint8Array => {
      structuredClone(gone, { transfer: [gone.buffer] });
      return new Uint8Array(8);
    };
    const given = { a: { data, shape: [1], dtype: 'I64' }, b: gone };
    await refuses(writeSafetensors(path('gone'), given), Error, /^tensor "b": its array has been transferred/);
    expect(readdirSync(path('.'))).not.to.include('gone');
  });
});

class FullSink extends Writable {
  override _write(_chunk: unknown, _encoding: string, done: (error: Error) => void): void {
    done(new Error('ENOSPC: no room'));
  }
}
