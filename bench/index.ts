// `npm run bench`: measures the machine, then gradstep against it and against other libraries. See bench/README.md.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { runtime } from 'gradstep';
import { Bench } from './bench';
import { cases } from './cases/index';
import { describeMachine, measureMachine } from './machine';
import { published, scratch } from './paths';
import { installPeers } from './peers/installed';
import { compareReports, showChanges } from './report/compare';
import { showGoals } from './report/console';
import { readJson, writeJson } from './report/json';
import { toMarkdown } from './report/markdown';
import { updateReadme } from './report/readme';
import { merge, type Report } from './results';

const help = `npm run bench -- [words] [--quick] [--compare old.json] [--threads n] [--out folder | --publish]

words  names of cases; other words choose figures by their names: npm run bench rules lion
${cases.map(({ name, about }) => `  ${name.padEnd(9)} ${about}`).join('\n')}
`;

/** A quick run starts nothing after this; what it has started may take some seconds more. */
const quickSeconds = 95;

interface Options {
  readonly words: readonly string[];
  readonly isQuick: boolean;
  readonly before: Report | null;
  readonly threads: number;
  readonly out: string;
  readonly isPublished: boolean;
}

function parseOptions(): Options | null {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      compare: { type: 'string' },
      threads: { type: 'string', default: `${availableParallelism()}` },
      out: { type: 'string' },
      publish: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return null;
  const threads = Number(values.threads);
  if (!Number.isInteger(threads) || threads < 1)
    throw new Error(`--threads must be a whole number, got ${values.threads}`);
  if (values.publish && values.quick) throw new Error('--publish is for full runs, not for --quick');
  return {
    words: positionals,
    isQuick: values.quick,
    before: values.compare === undefined ? null : readJson(values.compare),
    threads,
    out: values.publish ? published : (values.out ?? join(scratch, 'report')),
    isPublished: values.publish,
  };
}

async function measure({ words, isQuick, threads }: Options): Promise<Report> {
  const chosen = cases.filter(({ name }) => words.includes(name));
  const others = words.filter((word) => cases.every(({ name }) => name !== word));
  const taking = chosen.length > 0 ? chosen : cases;
  if (taking.some(({ usesPackages }) => usesPackages)) installPeers();

  // The clock starts here: what is built and installed once does not count.
  const deadline = isQuick ? performance.now() + 1000 * quickSeconds : Infinity;
  const bench = new Bench(isQuick, threads, others, deadline);
  runtime.threads = threads;
  const machine = describeMachine();
  measureMachine(bench);
  try {
    for (const { run } of taking) await run(bench);
  } finally {
    await bench.peers.stop(); // a peer's process would keep a run that failed from ending
  }

  const { contests, measures, peers, leftOut } = bench;
  if (contests.length === 0 && measures.every(({ id }) => id.startsWith('machine '))) {
    throw new Error(`no figure's name has any of: ${others.join(', ')}`);
  }
  if (leftOut.length > 0) console.error(`\nno time left for ${leftOut.length} figures, ${leftOut[0]} and later ones`);
  return { date: new Date().toISOString().slice(0, 10), machine, peers: peers.versions, contests, measures };
}

async function write(report: Report, { words, out, isPublished }: Options): Promise<void> {
  mkdirSync(out, { recursive: true });
  const file = join(out, 'results.json');
  const whole = isPublished && words.length > 0 && existsSync(file) ? merge(readJson(file), report) : report;
  // The charting package takes a while to load.
  const { drawPictures } = await import('./report/pictures.js');
  const pictures = drawPictures(whole);
  for (const { file, svg } of pictures) writeFileSync(join(out, file), svg);
  writeJson(file, whole);
  writeFileSync(join(out, 'results.md'), toMarkdown(whole, pictures));
  if (isPublished) updateReadme(whole, pictures);
  console.log(`\nwritten to ${relative('.', out)}`);
}

async function main(): Promise<void> {
  const options = parseOptions();
  if (options === null) return console.log(help);
  const report = await measure(options);
  await write(report, options);
  console.log(showGoals(report));
  const { before } = options;
  if (before !== null) console.log(`\nchanges since ${before.date}:\n${showChanges(compareReports(before, report))}`);

  // A goal that is missed is a finding; results that differ are a failure.
  const refused = report.contests.flatMap((contest) => contest.refused);
  if (refused.length > 0) {
    console.error(`\nnot timed, because results differ:\n  ${refused.join('\n  ')}`);
    process.exitCode = 1;
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
