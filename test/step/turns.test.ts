import { expect } from 'chai';
import fc from 'fast-check';
import { idle, inTurn, checkQuiet, type Turn } from '../../lib/step/turns';
import { expectRejection } from '../support/promises';

const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('turns', () => {
  it('follow each other in the order of the calls where they have a key in common, and else are at once', async () => {
    const sets = fc.array(fc.uniqueArray(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 4 }), {
      minLength: 1,
      maxLength: 12,
    });
    await fc.assert(
      fc.asyncProperty(sets, fc.infiniteStream(fc.integer({ min: 0, max: 3 })), async (list, pauses) => {
        const atIt = new Map<number, number>();
        const order = new Map<number, number[]>();
        const results = list.map((keys, i) => {
          const length = pauses.next().value as number;
          return inTurn(keys, async () => {
            for (const key of keys) {
              expect(atIt.get(key), 'nobody else is at it').to.equal(undefined);
              atIt.set(key, i);
              order.set(key, [...(order.get(key) ?? []), i]);
            }
            for (let k = 0; k < length; k++) await pause();
            for (const key of keys) atIt.delete(key);
            if (length === 3) throw new Error('mine');
            return i;
          }).then(
            (value) => expect(value).to.equal(i),
            (error: Error) => expect([error.message, length]).to.deep.equal(['mine', 3]),
          );
        });
        await Promise.all(results);
        for (const [key, who] of order) {
          expect(who).to.deep.equal(list.flatMap((keys, i) => (keys.includes(key) ? [i] : [])));
        }
      }),
      { numRuns: 50 },
    );
  });

  it('begin at once where nobody is before them', () => {
    let hasBegun = false;
    void inTurn([{}], () => {
      hasBegun = true;
      return Promise.resolve();
    });
    expect(hasBegun).to.equal(true);
  });

  it('are over when what they start throws, at once or later', async () => {
    const key = {};
    const refuse = (): never => {
      throw new Error('mine');
    };
    await expectRejection(inTurn([key], refuse), Error, 'mine');
    await expectRejection(
      inTurn([key], () => Promise.reject(new Error('later'))),
      Error,
      'later',
    );
    expect(await inTurn([key], () => Promise.resolve(7))).to.equal(7);
  });

  it('keep others out until they are over, but not their own code', async () => {
    const key = {};
    const isRefused = (): boolean => {
      try {
        checkQuiet(key, () => 'it');
        return false;
      } catch (error) {
        expect((error as Error).message).to.contain('it is used by an asynchronous step that is not over');
        return true;
      }
    };
    const seen: boolean[] = [];
    const run = async (turn: Turn): Promise<void> => {
      seen.push(isRefused());
      await pause();
      seen.push(isRefused());
      seen.push(turn.inCharge(isRefused));
    };
    const over = inTurn([key], run);
    const next = inTurn([key], run);
    expect(isRefused()).to.equal(true);
    await over;
    expect(isRefused(), 'the next is at it').to.equal(true);
    await next;
    expect(isRefused()).to.equal(false);
    expect(seen).to.deep.equal([false, true, false, false, true, false]);
  });
});

describe('idle', () => {
  it('comes when nobody is in line any more, also who came meanwhile', async () => {
    const key = {};
    const over: number[] = [];
    const start = (i: number): Promise<void> =>
      inTurn([key], async () => {
        await pause();
        over.push(i);
        if (i === 1) throw new Error('mine');
      }).catch(() => {});
    void start(0);
    void start(1);
    const quiet = idle([key, {}]);
    void start(2);
    await quiet;
    expect(over).to.deep.equal([0, 1, 2]);
    await idle([key]);
    await idle([]);
  });
});
