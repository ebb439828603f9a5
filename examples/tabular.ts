// `npm run example:tabular`: which birds damage aircraft? A wide and deep model learns it from a table of reports.
import { AdamOptimizer, FtrlOptimizer, ops, random, runtime, tidy } from 'gradstep';
import { batches } from './mnist/data';
import { Failure } from './mnist/failure';
import { prepareFolder, writeOutput } from './mnist/output';
import { Lines } from './shared/lines';
import { machine } from './shared/machine';
import { areaUnder, logLoss, rocOf } from './tabular/metrics';
import { batchOf, WideAndDeep, type Part } from './tabular/model';
import { parseOptions, type Options } from './tabular/options';
import { loadTable, type Table } from './tabular/table';

const models: readonly { name: string; parts: Part[]; color: string }[] = [
  { name: 'wide', parts: ['wide'], color: '#c0392b' },
  { name: 'deep', parts: ['deep'], color: '#1f6fb4' },
  { name: 'wide and deep', parts: ['wide', 'deep'], color: '#2a8f4f' },
];

/** Goes through these rows so many times. @param told is called after each step. */
function train(table: Table, rows: Int32Array, parts: Part[], options: Options, told: (loss: number) => void) {
  const { epochs, batch, wideRate, deepRate, buckets } = options;
  const model = new WideAndDeep(table, { buckets, features: 8, hidden: [64, 32], dropoutRate: 0.3 }, parts);
  const ftrl = new FtrlOptimizer({
    learningRate: wideRate,
    l1RegularizationStrength: 1e-3,
    l2RegularizationStrength: 1e-3,
  });
  const adam = new AdamOptimizer({ learningRate: deepRate });
  const [wide, deep] = [new Set(model.variablesOf('wide')), new Set(model.variablesOf('deep'))];
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (const some of batches(random.shuffle(rows), batch)) {
      const input = batchOf(table, some);
      // One pass back for both: each optimizer steps what is its own. The wide part's gradient has a few rows.
      const gradients = adam.computeGradients(() => model.loss(input));
      if (wide.size > 0) ftrl.applyGradients(gradients.filter(([, variable]) => wide.has(variable)));
      if (deep.size > 0) adam.applyGradients(gradients.filter(([, variable]) => deep.has(variable)));
      told(gradients.loss.item());
    }
  }
  return model;
}

/** What a model that has learnt all other folds thinks of each row. */
function predictions(table: Table, order: Int32Array, name: string, parts: Part[], options: Options): Float32Array {
  const probabilities = new Float32Array(table.count);
  const { folds, epochs, batch } = options;
  const isIn = (fold: number) => (_: number, i: number) => i % folds === fold;
  const stepsOf = (fold: number): number =>
    epochs * Math.ceil(order.filter((_, i) => i % folds !== fold).length / batch);
  const lines = new Lines(Array.from({ length: folds }, (_, fold) => stepsOf(fold)).reduce((a, b) => a + b));
  let [step, smooth] = [0, NaN];
  for (let fold = 0; fold < folds; fold++) {
    const [held, rest] = [order.filter(isIn(fold)), order.filter((row, i) => !isIn(fold)(row, i))];
    const model = train(table, rest, parts, options, (loss) => {
      if (!Number.isFinite(loss)) throw new Failure(`the loss is ${loss}: take smaller rates`);
      smooth = Number.isNaN(smooth) ? loss : smooth + 0.02 * (loss - smooth);
      lines.update(++step, (seconds) => {
        const speed = Math.round((step * batch) / seconds);
        return `${name}  fold ${fold + 1}/${folds}  loss ${smooth.toFixed(3)}  ${speed} rows/s`;
      });
    });
    tidy(() => {
      const { data } = ops.sigmoid(model.logits(batchOf(table, held)));
      held.forEach((row, i) => (probabilities[row] = data[i]!));
    });
  }
  return probabilities;
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv);
  if (options.threads !== undefined) runtime.threads = options.threads;
  const table = loadTable(options.table, options.buckets);
  if (options.folds > table.count) throw new Failure(`--folds ${options.folds} are more than the ${table.count} rows`);
  prepareFolder(options.out);
  const share = table.labels.reduce((sum, label) => sum + label, 0) / table.count;
  if (share === 0 || share === 1) throw new Failure('all rows are alike: there is nothing to learn');
  console.log(`${table.count} rows, ${(100 * share).toFixed(1)} % with damage; ${machine()}`);
  random.seed(options.seed);
  const order = random.permutation(table.count);
  const results = models.map(({ name, parts, color }) => {
    const probabilities = predictions(table, order, name, parts, options);
    const points = rocOf(probabilities, table.labels);
    return { name, color, points, area: areaUnder(points), loss: logLoss(probabilities, table.labels) };
  });

  // The charting package takes a while to load, so that is put off until there is something to draw.
  const { drawRoc } = await import('./tabular/picture.js');
  const curves = results.map(({ name, area, ...rest }) => ({ ...rest, name: `${name}: ${area.toFixed(3)}` }));
  const picture = writeOutput(
    options.out,
    'roc.svg',
    drawRoc('Birds that damage aircraft: area under the curve', curves),
  );
  const always = Array.from(table.labels, () => share);
  const line = (name: string, area: number, loss: number): string =>
    `${name.padEnd(14)} AUC ${area.toFixed(3)}  log loss ${loss.toFixed(4)}`;
  console.log(`
${line('always the same', 0.5, logLoss(always, table.labels))}
${results.map(({ name, area, loss }) => line(name, area, loss)).join('\n')}
               on rows that each model has not seen, ${options.folds} folds
ran on         ${machine()}
total time     ${(performance.now() / 1000).toFixed(1)} s
picture        ${picture.path}`);
}

main().catch((error: unknown) => {
  if (!(error instanceof Failure)) throw error;
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
});
