import { expect } from 'chai';
import { parseSafetensors, SafetensorsError } from 'gradstep/safetensors';
import { damagedFile, dice } from './damage';
import { bitsOf } from './tensors';

/**
 * Files that are damaged, cut short and hostile: each is either one clear error or as good as any.
 *
 *   GRADSTEP_FUZZ_SAFETENSORS  how many. Default: 20,000.
 *   GRADSTEP_FUZZ_SEED         the first seed; a failure prints its own. Each file has one.
 */
const count = Number(process.env['GRADSTEP_FUZZ_SAFETENSORS'] ?? 20_000);
const firstSeed = Number(process.env['GRADSTEP_FUZZ_SEED'] ?? 1);

/** Whether the file was accepted. */
function check(file: Uint8Array): boolean {
  let parsed;
  try {
    parsed = parseSafetensors(file);
  } catch (error) {
    if (!(error instanceof SafetensorsError)) throw error;
    expect(error.message).to.match(/^\P{Cc}{10,400}$/u);
    expect(error.code).to.match(/^[a-z8-]+$/);
    return false;
  }
  const headerBytes = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  let end = 8 + headerBytes;
  for (const { name, dtype, shape, byteOffset, byteLength } of parsed.tensors.values()) {
    expect(byteOffset).to.equal(end);
    expect(byteLength * 8).to.equal(shape.reduce((product, length) => product * length, 1) * bitsOf(dtype));
    expect(parsed.read(name).byteLength).to.equal(byteLength);
    end += byteLength;
  }
  expect(end).to.equal(file.byteLength);
  return true;
}

describe('damaged safetensors', () => {
  it('are one clear error each, or whole', function () {
    this.timeout(60_000 + count);
    let accepted = 0;
    for (let seed = firstSeed; seed < firstSeed + count; seed++) {
      try {
        if (check(damagedFile(dice(seed)))) accepted++;
      } catch (error) {
        throw new Error(`GRADSTEP_FUZZ_SEED=${seed}: ${(error as Error).message}`, { cause: error });
      }
    }
    if (count > 20_000) console.log(`      ${count} files, of which ${accepted} are none the worse for it`);
    if (count >= 20_000) expect(accepted / count).to.be.within(0.02, 0.5);
  });
});
