import { expect } from 'chai';
import fc from 'fast-check';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseSafetensors, SafetensorsError, serializeSafetensors } from 'gradstep/safetensors';
import { damagedFile, dice } from './damage';
import { scratch } from './files';
import { bytesIn, metadata, samples } from './tensors';

const script = join(dirname(require.resolve('gradstep/package.json')), 'test', 'safetensors', 'second_opinion.py');

/** Runs the reader and writer in Python. */
function python(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync('python3', [script, ...args], { encoding: 'utf8', maxBuffer: 2 ** 28 });
  expect(status, stderr).to.equal(0);
  return stdout;
}

/** What we read, in the form of what Python says; null for what is refused. */
function ours(file: Uint8Array): unknown {
  try {
    const { tensors, metadata, ...parsed } = asParsed(file);
    const said = [...tensors.values()].map(({ name, dtype, shape }) => {
      return [name, dtype, shape, createHash('sha256').update(parsed.read(name)).digest('hex')];
    });
    return { metadata: Object.fromEntries(metadata), tensors: said };
  } catch (error) {
    if (error instanceof SafetensorsError) return null;
    throw error;
  }
}

function asParsed(file: Uint8Array) {
  const parsed = parseSafetensors(file);
  return { tensors: parsed.tensors, metadata: parsed.metadata, read: (name: string) => bytesIn(parsed.read(name)) };
}

function all(files: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    files.flatMap((file) => {
      const length = Buffer.alloc(8);
      length.writeBigUInt64LE(BigInt(file.byteLength));
      return [length, file];
    }),
  );
}

describe('safetensors by a second implementation, in Python', function () {
  this.timeout(120_000);
  const path = scratch();
  before(function () {
    if (spawnSync('python3', ['--version']).status !== 0) this.skip();
  });

  const agree = (files: readonly Uint8Array[]): void => {
    writeFileSync(path('files'), all(files));
    const theirs = python('read', path('files')).trimEnd().split('\n');
    expect(theirs).to.have.lengthOf(files.length);
    files.forEach((file, i) => {
      expect(ours(file), Buffer.from(file).toString('latin1')).to.deep.equal(JSON.parse(theirs[i]!));
    });
  };

  it('are read there as we wrote them', () => {
    const files = fc.sample(fc.tuple(samples, metadata), { numRuns: 300, seed: 1 });
    const written = files.map(([tensors, strings]) => serializeSafetensors(tensors, { metadata: new Map(strings) }));
    expect(written.map(ours)).not.to.include(null);
    agree(written);
  });

  it('are read here as they were written there', () => {
    python('write', path('theirs'));
    const file = readFileSync(path('theirs'));
    agree([file]);
    const { tensors, metadata } = parseSafetensors(file);
    expect([...metadata]).to.deep.equal([['by', 'Python'], ['ü', '😀']]); // prettier-ignore
    expect(tensors.size).to.equal(19);
  });

  it('are read alike, whatever files of others there are', function () {
    const folder = process.env['GRADSTEP_SAFETENSORS_FILES'];
    if (folder === undefined) this.skip(); // no package of the registry is known to have any
    const files = readdirSync(folder).filter((name) => name.endsWith('.safetensors'));
    expect(files).not.to.deep.equal([]);
    const read = files.map((name) => readFileSync(join(folder, name)));
    expect(read.map(ours)).not.to.include(null);
    agree(read);
  });

  it('are refused by both or by none, damaged as they may be', () => {
    agree(Array.from({ length: 5000 }, (_, seed) => damagedFile(dice(1_000_000 + seed))));
  });
});
