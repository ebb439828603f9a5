// `npm run example:gpt`: a small transformer reads Moby Dick, letter by letter, and then writes some itself.
import { AdamWOptimizer, compile, compileStep, createGlobalStep, random, runtime } from 'gradstep';
import { Gpt, sampled } from './gpt/model';
import { parseOptions, type Options } from './gpt/options';
import { loadText, type Text } from './gpt/text';
import { Failure } from './mnist/failure';

/** Pieces of the text from random places, and what follows each character. */
function pieces({ tokens }: Text, batch: number, context: number, from: number, to: number) {
  const [now, next] = [new Int32Array(batch * context), new Int32Array(batch * context)];
  for (let i = 0; i < batch; i++) {
    const start = from + Math.floor(random.uniform([], { dtype: 'float64' }).item() * (to - from - context - 1));
    now.set(tokens.subarray(start, start + context), i * context);
    next.set(tokens.subarray(start + 1, start + context + 1), i * context);
  }
  return { now, next };
}

function train(model: Gpt, text: Text, { steps, batch, context, learningRate }: Options): void {
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
  const began = performance.now();
  let shown = 0;
  for (let i = 1; i <= steps; i++) {
    const { loss } = step.runSync(pieces(text, batch, context, 0, end));
    const elapsed = performance.now() - began;
    if (elapsed < 2000 * (shown + 1) && i < steps) continue;
    const unread = Array.from({ length: 4 }, () =>
      check.runSync(pieces(text, batch, context, end, text.tokens.length)).item(),
    );
    const perSecond = Math.round((1000 * i * batch * context) / elapsed);
    console.log(
      `step ${i}/${steps}  loss ${loss.toFixed(3)}  unread ${(unread.reduce((a, b) => a + b) / 4).toFixed(3)}  ${perSecond} tokens/s`,
    );
    shown = Math.floor(elapsed / 2000);
  }
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

function main(): void {
  const options = parseOptions(process.argv);
  if (options.threads !== undefined) runtime.threads = options.threads;
  const { context, layers, features, heads } = options;
  const text = loadText(options.text, 40 * (context + 1));
  random.seed(options.seed);
  const model = new Gpt({ vocabulary: text.alphabet.length, context, layers, features, heads });
  console.log(
    `${text.tokens.length} characters, ${text.alphabet.length} different ones; ${model.parameterCount} parameters; ${runtime.isa}, ${runtime.threads} threads`,
  );
  train(model, text, options);
  const began = performance.now();
  console.log(`\n${write(model, text, options)}\n`);
  console.log(`${Math.round((1000 * options.characters) / (performance.now() - began))} characters/s`);
}

try {
  main();
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
}
