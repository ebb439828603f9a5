import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { SafetensorsError, type SafetensorsErrorCode } from 'gradstep/safetensors';

/** A file of this header, as it is written here, and as many bytes of data. */
export function fileOf(header: string | Uint8Array, data: number | Uint8Array = 0): Uint8Array {
  const json = typeof header === 'string' ? Buffer.from(header) : header;
  const bytes = typeof data === 'number' ? new Uint8Array(data) : data;
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.byteLength));
  return new Uint8Array(Buffer.concat([length, json, bytes]));
}

/** What goes wrong, which must be of the file. */
export function faultOf(action: () => unknown): SafetensorsError {
  try {
    action();
  } catch (error) {
    expect(error).to.be.instanceOf(SafetensorsError);
    return error as SafetensorsError;
  }
  throw new Error('nothing went wrong');
}

/** @throws unless the promise is rejected with an error of this class and message. */
export async function refuses(
  promise: Promise<unknown>,
  kind: new (...args: never[]) => Error,
  message: RegExp,
): Promise<void> {
  let thrown: unknown;
  await promise.catch((error: unknown) => (thrown = error));
  expect(thrown).to.be.instanceOf(kind);
  expect((thrown as Error).message).to.match(message);
}

/** @throws unless the promise is rejected because of the file, with this code. */
export async function refusesFile(
  promise: Promise<unknown>,
  code: SafetensorsErrorCode,
  message: RegExp,
): Promise<void> {
  await refuses(promise, SafetensorsError, message);
  await promise.catch((error: unknown) => expect((error as SafetensorsError).code).to.equal(code));
}

/** A folder for the tests of a block, removed behind them. */
export function scratch(): (name: string) => string {
  let folder = '';
  before(() => (folder = mkdtempSync(join(tmpdir(), 'gradstep-'))));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return (name) => join(folder, name);
}
