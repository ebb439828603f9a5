import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../paths';
import type { Contest, Measure, Report } from '../results';
import { rates, showMeasure } from './console';
import { digits, percent, seconds } from './format';
import { describe, table } from './markdown';
import type { Picture } from './pictures';

/** What a reader wants to know first; `results.md` has the rest. */
const headlines = [
  /^adam 2\^25 .* limit/,
  /^adam 2\^22 .* peers/,
  /^clip 2\^25/,
  /^clip 1,000 variables/,
  /^clip applyGradients alone/,
  /^mnist /,
  /^compile /,
  /^gemm (64 x 784 x 256|1024 x 1024 x 1024) nn/,
  /^sparse /,
  /^event-loop /,
];
const headlineMeasures = [/^startup require/, /^memory /, /^event-loop delay, p99/];

const start = '<!-- measured: npm run bench -- --publish -->';
const end = '<!-- /measured -->';

/** Puts the pictures and a short table between two comments of README.md, in place of what is there. */
export function updateReadme(report: Report, pictures: readonly Picture[]): void {
  const file = join(root, 'README.md');
  const text = readFileSync(file, 'utf8');
  const [from, to] = [text.indexOf(start), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`README.md must have the lines ${start} and ${end}`);
  const lines = [
    `${describe(report.machine)} Measured on ${report.date}; each row from one run in which the sides took turns.`,
    '',
    ...table(['', 'gradstep', 'beside it'], rows(report)),
    ...pictures.flatMap(({ file, title }) => [`![${title}](docs/bench/${file})`, '']),
  ];
  writeFileSync(file, `${text.slice(0, from)}${start}\n\n${lines.join('\n')}\n${text.slice(to)}`);
}

function rows({ contests, measures }: Report): string[][] {
  const chosen = <T extends { id: string }>(patterns: readonly RegExp[], all: readonly T[]): T[] =>
    patterns.flatMap((pattern) => all.filter(({ id }) => pattern.test(id)));
  return [...chosen(headlines, contests).flatMap(contestRow), ...chosen(headlineMeasures, measures).map(measureRow)];
}

function contestRow(contest: Contest): string[][] {
  const [ours, ...others] = contest.timings;
  if (ours === undefined) return [];
  const [rate] = rates(contest, ours);
  const beside = others.map(({ name, ratio: { median } }) =>
    name === 'limit' ? `${percent(median)} of the limit` : `${name} ${digits(median)} ×`,
  );
  const time = seconds(ours.time.median);
  return [[contest.id, rate === undefined ? time : `${time}, ${rate}`, beside.join(', ')]];
}

function measureRow(measure: Measure): string[] {
  const shown = showMeasure(measure).slice(measure.id.length + 2);
  const [value, goal = ''] = shown.replace(/ +(met|MISSED)$/, '').split(', at ');
  return [measure.id, value!, goal === '' ? '' : `at ${goal}`];
}
