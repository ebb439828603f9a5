import { expect } from 'chai';
import type { RankState } from './sharding-programs';

/** What ranks have are parts of the whole, one after the other or all of it, and together all of it. */
export function expectParts(whole: Record<string, Uint8Array>, ranks: readonly RankState[]): void {
  for (const state of ranks) expect(Object.keys(state).sort()).to.deep.equal(Object.keys(whole).sort());
  for (const [key, bytes] of Object.entries(whole)) {
    let end = 0;
    for (const state of ranks) {
      const { begin, bytes: own } = state[key]!;
      expect(Buffer.compare(own, bytes.subarray(begin, begin + own.length)), key).to.equal(0);
      if (begin === end) end += own.length;
    }
    expect(end, key).to.equal(bytes.length);
  }
}
