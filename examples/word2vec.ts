// `npm run example:word2vec`: learns from the definitions of a dictionary which words mean something alike.
import { AdamOptimizer, LazyAdamOptimizer, random, runtime, type Optimizer } from 'gradstep';
import { Failure } from './mnist/failure';
import { prepareFolder, writeOutput } from './mnist/output';
import { Random } from './mnist/random';
import { toSafetensors } from './mnist/safetensors';
import { Lines } from './shared/lines';
import { machine } from './shared/machine';
import { corpusOf, type Corpus } from './word2vec/corpus';
import { neighbours, pairsOfSynonyms, synonymsNearer } from './word2vec/meaning';
import { lossOf, SkipGram, stepOf } from './word2vec/model';
import { parseOptions, type Options } from './word2vec/options';
import { PairSampler, type Pairs, type Sampling } from './word2vec/pairs';
import { loadWordNet } from './word2vec/wordnet';

const shownWords = ['physician', 'river', 'french', 'write', 'bread', 'green'];

/** The mean loss of pairs that are the same each time. */
function checkOf(model: SkipGram, corpus: Corpus, sampling: Sampling, seed: number): () => number {
  const sampler = new PairSampler(corpus, sampling, new Random(seed));
  const batches: Pick<Pairs, 'centers' | 'others'>[] = [];
  for (const { centers, others } of sampler.pairsOf(corpus.unread)) {
    batches.push({ centers: centers.slice(), others: others.slice() });
    if (batches.length === 20) break;
  }
  if (batches.length === 0)
    throw new Failure(`there are less than ${sampling.batch} pairs to try: take a smaller --batch`);
  const loss = lossOf(model, sampling);
  return () => batches.reduce((sum, batch) => sum + loss.runSync(batch).item(), 0) / batches.length;
}

/** @returns the seconds that it took, and the loss on what has not been read. */
function train(model: SkipGram, corpus: Corpus, sampling: Sampling, { epochs, learningRate, seed }: Options) {
  const total = epochs * corpus.length;
  let read = 0;
  const optimizer = new LazyAdamOptimizer({ learningRate: () => learningRate * Math.max(1e-4, 1 - read / total) });
  const step = stepOf(model, optimizer, sampling);
  const check = checkOf(model, corpus, sampling, seed + 1);
  const sampler = new PairSampler(corpus, sampling, new Random(seed));
  const lines = new Lines(total, 'words');
  let [smooth, steps] = [NaN, 0];
  for (let epoch = 1; epoch <= epochs; epoch++) {
    for (const { centers, others, read: inEpoch } of sampler.pairsOf(corpus.sentences)) {
      read = (epoch - 1) * corpus.length + inEpoch;
      const { loss } = step.runSync({ centers, others });
      if (!Number.isFinite(loss)) throw new Failure(`the loss is ${loss}: take a smaller --learning-rate`);
      smooth = Number.isNaN(smooth) ? loss : smooth + 0.01 * (loss - smooth);
      steps++;
      lines.update(read, (seconds) => {
        const speeds = `${Math.round(read / seconds)} words/s  ${Math.round((steps * sampling.batch) / seconds)} pairs/s`;
        return `epoch ${epoch}/${epochs}  loss ${smooth.toFixed(3)}  unread ${check().toFixed(3)}  ${speeds}`;
      });
    }
  }
  return { seconds: lines.seconds, unread: check() };
}

/** Milliseconds of a step with this optimizer, the least of many, on a model of its own. */
function timeOfStep(corpus: Corpus, sampling: Sampling, features: number, optimizer: Optimizer): number {
  const [pairs] = new PairSampler(corpus, sampling, new Random(0)).pairsOf(corpus.sentences);
  const { centers, others } = pairs!;
  const step = stepOf(new SkipGram(corpus.words.length, features), optimizer, sampling);
  const times = Array.from({ length: 100 }, () => {
    const began = performance.now();
    step.runSync({ centers, others });
    return performance.now() - began;
  });
  return Math.min(...times);
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv);
  if (options.threads !== undefined) runtime.threads = options.threads;
  const { features, batch, negatives, window, minCount, seed } = options;
  const { glosses, synonyms, kinds } = loadWordNet(options.wordnet);
  const corpus = corpusOf(glosses, minCount);
  prepareFolder(options.out);
  random.seed(seed);
  const sampling = { batch, negatives, window, skipAbove: options.skipAbove };
  const model = new SkipGram(corpus.words.length, features);
  console.log(
    `${corpus.length} words, ${corpus.words.length} different ones, ${features} numbers for each; ${machine()}`,
  );
  const { seconds, unread } = train(model, corpus, sampling, options);

  const pairs = pairsOfSynonyms(synonyms, corpus, 4 * minCount);
  const right = synonymsNearer(model.vectors, pairs, new Random(seed + 2));
  const nearest = shownWords.map((word) => [word, neighbours(model.vectors, corpus, word, 6)] as const);
  const [lazy, dense] = [new LazyAdamOptimizer(), new AdamOptimizer()].map((optimizer) =>
    timeOfStep(corpus, sampling, features, optimizer),
  );
  const vectors = writeOutput(options.out, 'vectors.safetensors', toSafetensors(model.variables()));
  // The charting package takes a while to load, so that is put off until there is something to draw.
  const { drawWords } = await import('./word2vec/picture.js');
  const title = `Skip-gram with negative sampling on WordNet's glosses: nouns, by their two main directions`;
  const picture = writeOutput(options.out, 'words.svg', drawWords(title, model.vectors, corpus, kinds));
  console.log(`
${nearest.map(([word, near]) => `${word.padEnd(14)} ${near.join(', ')}`).join('\n')}

unread loss    ${unread.toFixed(3)} nats a pair; ${((1 + negatives) * Math.LN2).toFixed(3)} by guessing
synonyms       in ${(100 * right).toFixed(1)} % of ${pairs.length} pairs nearer to each other than to a word as frequent; 50 % by guessing
a step         ${lazy!.toFixed(2)} ms; ${dense!.toFixed(2)} ms with AdamOptimizer, which moves the rows of all words
ran on         ${machine()}
training       ${seconds.toFixed(1)} s, ${Math.round((options.epochs * corpus.length) / seconds)} words/s
vectors        ${vectors.path}
picture        ${picture.path}`);
}

main().catch((error: unknown) => {
  if (!(error instanceof Failure)) throw error;
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
});
