import { expect } from 'chai';
import fc from 'fast-check';
import { tensor } from 'gradstep';
import { Random } from '../../examples/mnist/random';
import { areaUnder, logLoss, rocOf } from '../../examples/tabular/metrics';
import { corpusOf } from '../../examples/word2vec/corpus';
import { PairSampler } from '../../examples/word2vec/pairs';
import { projected } from '../../examples/word2vec/projection';

describe('the area under the curve', () => {
  it('is how often a row with label 1 has the higher score, ties counting half', () => {
    const row = fc.record({ score: fc.integer({ min: 0, max: 5 }), label: fc.constantFrom(0, 1) });
    fc.assert(
      fc.property(fc.array(row, { minLength: 2, maxLength: 30 }), (rows) => {
        const [ones, zeros] = [1, 0].map((label) => rows.filter((each) => each.label === label));
        fc.pre(ones!.length > 0 && zeros!.length > 0);
        const pairs = ones!.flatMap(({ score: a }) =>
          zeros!.map(({ score: b }) => (a > b ? 1 : a === b ? 0.5 : 0) as number),
        );
        const points = rocOf(
          rows.map(({ score }) => score),
          rows.map(({ label }) => label),
        );
        expect(areaUnder(points)).to.be.closeTo(pairs.reduce((a, b) => a + b) / pairs.length, 1e-12);
      }),
    );
  });

  it('belongs to a log loss that is that of guessing where nothing is known', () => {
    expect(logLoss([0.5, 0.5], [0, 1])).to.be.closeTo(Math.LN2, 1e-12);
  });
});

describe('pairs of words', () => {
  // Word k occurs 2^(12 - k) times, each sentence is of one word repeated.
  const glosses = Array.from({ length: 12 }, (_, k) =>
    Array.from({ length: 2 ** (11 - k) }, () => [`w${k}`, `w${k}`]),
  ).flat();
  const corpus = corpusOf(glosses, 1);
  const sampling = { batch: 64, negatives: 5, window: 2, skipAbove: 1 };

  it('have negatives as often as the count to the power of 3/4 says', () => {
    const drawn = new Float64Array(corpus.words.length);
    for (const { others } of new PairSampler(corpus, sampling, new Random(1)).pairsOf(corpus.sentences)) {
      others.forEach((word, i) => void (i % 6 !== 0 && drawn[word]!++));
    }
    const total = drawn.reduce((a, b) => a + b);
    const weights = Array.from(corpus.counts, (count) => count ** 0.75);
    const sum = weights.reduce((a, b) => a + b);
    weights.forEach((weight, word) => {
      const expected = (total * weight) / sum;
      expect(Math.abs(drawn[word]! - expected), corpus.words[word]).to.be.below(6 * Math.sqrt(expected) + 2);
    });
  });

  it('are of words of one sentence', () => {
    for (const { centers, others } of new PairSampler(corpus, sampling, new Random(2)).pairsOf(corpus.sentences)) {
      expect(centers.every((word, i) => others[6 * i] === word)).to.be.true;
    }
  });

  it('are the same for the same seed', () => {
    const all = (seed: number): string =>
      Array.from(new PairSampler(corpus, sampling, new Random(seed)).pairsOf(corpus.unread), ({ others }) =>
        others.join(),
      ).join();
    expect(all(3)).to.equal(all(3));
    expect(all(3)).not.to.equal(all(4));
  });
});

describe('the projection', () => {
  it('is to the two directions in which rows differ most', () => {
    // Far apart along (3, 4, 0, 0) / 5, less along the third, hardly along the fourth.
    const rows = Array.from({ length: 40 }, (_, i) => {
      const [far, less, hardly] = [((i % 8) - 3.5) * 4, (i % 5) - 2, ((i % 3) - 1) / 100];
      return [0.6 * far, 0.8 * far, less, hardly];
    });
    const places = projected(tensor(rows));
    const spread = (d: number): number => Math.max(...rows.map((_, i) => Math.abs(places[2 * i + d]!)));
    expect(spread(0)).to.be.closeTo(14, 0.2);
    expect(spread(1)).to.be.closeTo(2, 0.2);
  });
});
