// `npm run bench`: measures the machine, then gradstep against it and against other libraries. See bench/README.md.
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runtime } from 'gradstep';
import { Bench } from './bench';
import { cases } from './cases/index';
import { describeMachine, measureMachine } from './machine';
import { scratch } from './paths';
import { compareReports, showChanges } from './report/compare';
import { readJson, writeJson } from './report/json';
import { toMarkdown } from './report/markdown';
import type { Report } from './results';

const help = `npm run bench -- [words] [--quick] [--compare old.json] [--threads n] [--out folder]

words  names of cases; other words choose figures by their names: npm run bench rules lion
${cases.map(({ name, about }) => `  ${name.padEnd(9)} ${about}`).join('\n')}
`;

interface Options {
  readonly words: readonly string[];
  readonly isQuick: boolean;
  readonly before: Report | null;
  readonly threads: number;
  readonly out: string;
}

function parseOptions(): Options | null {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      compare: { type: 'string' },
      threads: { type: 'string', default: `${availableParallelism()}` },
      out: { type: 'string', default: join(scratch, 'report') },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return null;
  const threads = Number(values.threads);
  if (!Number.isInteger(threads) || threads < 1)
    throw new Error(`--threads must be a whole number, got ${values.threads}`);
  const before = values.compare === undefined ? null : readJson(values.compare);
  return { words: positionals, isQuick: values.quick, before, threads, out: values.out };
}

async function run({ words, isQuick, before, threads, out }: Options): Promise<void> {
  const chosen = cases.filter(({ name }) => words.includes(name));
  const others = words.filter((word) => cases.every(({ name }) => name !== word));
  const bench = new Bench(isQuick, threads, others, Infinity);
  runtime.threads = threads;
  const machine = describeMachine();
  measureMachine(bench);
  for (const { run } of chosen.length > 0 ? chosen : cases) await run(bench);
  await bench.peers.stop();

  const { contests, measures, peers } = bench;
  const report = { date: new Date().toISOString().slice(0, 10), machine, peers: peers.versions, contests, measures };
  mkdirSync(out, { recursive: true });
  writeJson(join(out, 'results.json'), report);
  writeFileSync(join(out, 'results.md'), toMarkdown(report));
  // The charting package takes a while to load.
  const { drawPictures } = await import('./report/pictures.js');
  for (const [file, svg] of drawPictures(contests)) writeFileSync(join(out, file), svg);
  console.log(`\nwritten to ${out}`);
  if (before !== null) console.log(`\nchanges since ${before.date}:\n${showChanges(compareReports(before, report))}`);

  const refused = contests.flatMap((contest) => contest.refused);
  if (refused.length > 0) {
    console.error(`\nnot timed, because results differ:\n  ${refused.join('\n  ')}`);
    process.exitCode = 1;
  }
}

async function main(): Promise<void> {
  const options = parseOptions();
  if (options === null) console.log(help);
  else await run(options);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
