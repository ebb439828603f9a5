// `npm run example:gpt`: a small transformer reads Moby Dick, letter by letter, and then writes some itself.
import { AdamWOptimizer, compile, compileStep, createGlobalStep, random, RandomGenerator, runtime } from 'gradstep';
import { Gpt, sampled } from './gpt/model';
import { parseOptions, type Options } from './gpt/options';
import type { Training } from './gpt/picture';
import { loadText, type Text } from './gpt/text';
import { Failure } from './mnist/failure';
import { prepareFolder, writeOutput } from './mnist/output';
import { toSafetensors } from './mnist/safetensors';
import { Lines } from './shared/lines';
import { machine } from './shared/machine';

/** Pieces of the text from random places, and what follows each character. */
function pieces({ tokens }: Text, { batch, context }: Options, from: number, to: number, generator = random) {
  const [now, next] = [new Int32Array(batch * context), new Int32Array(batch * context)];
  for (let i = 0; i < batch; i++) {
    const start = from + Math.floor(generator.uniform([], { dtype: 'float64' }).item() * (to - from - context - 1));
    now.set(tokens.subarray(start, start + context), i * context);
    next.set(tokens.subarray(start + 1, start + context + 1), i * context);
  }
  return { now, next };
}

function train(model: Gpt, text: Text, options: Options): Training {
  const { steps, batch, context, learningRate } = options;
  const globalStep = createGlobalStep();
  const warmUp = Math.min(100, steps / 10);
  const rate = (): number => {
    const step = globalStep.value;
    const cosine = (1 + Math.cos((Math.PI * step) / steps)) / 2;
    return learningRate * Math.min(1, (step + 1) / warmUp) * (0.05 + 0.95 * cosine);
  };
  const inputs = {
    now: { shape: [batch, context], dtype: 'int32' },
    next: { shape: [batch, context], dtype: 'int32' },
  } as const;
  const step = compileStep({
    inputs,
    loss: ({ now, next }) => model.loss(now, next, { training: true }),
    optimizer: new AdamWOptimizer({ learningRate: rate, weightDecay: 0.01 }),
    globalStep,
    clip: { globalNorm: 1 },
  });
  const check = compile(({ now, next }) => model.loss(now, next), { inputs });
  // The last twentieth of the text is for looking how well it does on what it has not read.
  const end = Math.floor(0.95 * text.tokens.length);
  // The same pieces each time, from a generator of their own: when a line is due is up to the machine.
  const own = new RandomGenerator(options.seed);
  const held = Array.from({ length: 8 }, () => pieces(text, options, end, text.tokens.length, own));
  const unreadLoss = (): number => held.reduce((sum, piece) => sum + check.runSync(piece).item(), 0) / held.length;
  const [losses, rates] = [new Float64Array(steps), new Float64Array(steps)];
  const unread: [number, number][] = [];
  const lines = new Lines(steps);
  for (let i = 1; i <= steps; i++) {
    rates[i - 1] = rate();
    const { loss } = step.runSync(pieces(text, options, 0, end));
    if (!Number.isFinite(loss)) throw new Failure(`the loss is ${loss}: take a smaller --learning-rate`);
    losses[i - 1] = loss;
    lines.update(i, (seconds) => {
      const now = unreadLoss();
      unread.push([i, now]);
      const perSecond = Math.round((i * batch * context) / seconds);
      return `loss ${loss.toFixed(3)}  unread ${now.toFixed(3)}  ${perSecond} tokens/s`;
    });
  }
  return { losses, rates, unread };
}

/** Writes on, character by character. */
function write(model: Gpt, { alphabet }: Text, { context, characters, temperature }: Options): string {
  const logitsOf = compile(({ now }) => model.logits(now), {
    inputs: { now: { shape: [1, context], dtype: 'int32' } },
  });
  const written: number[] = [Math.max(0, alphabet.indexOf('\n'))];
  const now = new Int32Array(context);
  while (written.length <= characters) {
    const seen = written.slice(-context);
    now.fill(0);
    now.set(seen);
    const { data } = logitsOf.runSync({ now });
    const last = data.subarray((seen.length - 1) * alphabet.length, seen.length * alphabet.length);
    written.push(sampled(last, temperature, random.uniform([], { dtype: 'float64' }).item()));
  }
  return written.map((token) => alphabet[token]).join('');
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv);
  if (options.threads !== undefined) runtime.threads = options.threads;
  const { context, layers, features, heads } = options;
  const text = loadText(options.text, 40 * (context + 1));
  prepareFolder(options.out);
  random.seed(options.seed);
  const model = new Gpt({ vocabulary: text.alphabet.length, context, layers, features, heads });
  console.log(
    `${text.tokens.length} characters, ${text.alphabet.length} different ones; ${model.parameterCount} parameters; ${machine()}`,
  );
  const training = train(model, text, options);
  const began = performance.now();
  console.log(`\n${write(model, text, options)}\n`);
  console.log(`${Math.round((1000 * options.characters) / (performance.now() - began))} characters/s`);

  const weights = writeOutput(options.out, 'weights.safetensors', toSafetensors(model.variables()));
  // The charting package takes a while to load, so that is put off until there is something to draw.
  const { drawCurves } = await import('./gpt/picture.js');
  const name = options.text ?? 'Moby Dick';
  const title = `A transformer of ${model.parameterCount.toLocaleString('en-US')} parameters reads ${name}`;
  const picture = writeOutput(options.out, 'training.svg', drawCurves(title, training));
  console.log(`
weights        ${weights.path}
picture        ${picture.path}`);
}

main().catch((error: unknown) => {
  if (!(error instanceof Failure)) throw error;
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
});
