// A strict reader of Prometheus' text format 0.0.4, which refuses what the format does not say, and what a server would
// not take or people should not write.

export interface ParsedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface ParsedFamily {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly samples: ParsedSample[];
}

/** @throws Error for a text that is not of the format. */
export function parsePrometheusText(text: string): ParsedFamily[] {
  if (text === '') return [];
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  const families: ParsedFamily[] = [];
  const helps = new Map<string, string>();
  const series = new Set<string>();
  text
    .slice(0, -1)
    .split('\n')
    .forEach((line, i) => {
      const fail = (what: string): never => {
        throw new Error(`line ${i + 1}: ${what}: ${line}`);
      };
      if (line === '') return;
      const [, kind, name, rest] = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)$/s.exec(line) ?? [];
      if (kind === 'HELP') {
        if (helps.has(name!)) fail('a second HELP');
        helps.set(name!, unescaped(rest!, /\\[\\n]/g, fail));
      } else if (kind === 'TYPE') {
        if (!['counter', 'gauge', 'histogram', 'summary', 'untyped'].includes(rest!)) fail('no such type');
        if (families.some((family) => family.name === name)) fail('a second TYPE');
        families.push({ name: name!, help: helps.get(name!) ?? '', type: rest!, samples: [] });
      } else if (line.startsWith('#')) {
        fail('neither HELP nor TYPE');
      } else {
        const sample = sampleOf(line, fail);
        const family = families.at(-1) ?? fail('a sample without a TYPE');
        if (!belongs(family, sample.name)) fail(`not of ${family.name}, which is what goes before`);
        const key = JSON.stringify([sample.name, Object.entries(sample.labels).sort()]);
        if (series.has(key)) fail('the same series again');
        series.add(key);
        family.samples.push(sample);
      }
    });
  for (const family of families) if (family.type === 'histogram') checkHistogram(family);
  return families;
}

function belongs({ name, type }: ParsedFamily, sample: string): boolean {
  return type === 'histogram' ? /^_(bucket|sum|count)$/.test(tailOf(sample, name)) : sample === name;
}

const tailOf = (sample: string, name: string): string => (sample.startsWith(name) ? sample.slice(name.length) : '');

type Fail = (what: string) => never;

function unescaped(text: string, escapes: RegExp, fail: Fail): string {
  if (text.replace(escapes, '').includes('\\')) fail('a backslash that escapes nothing');
  return text.replace(escapes, (escape) => (escape === '\\n' ? '\n' : escape[1]!));
}

function sampleOf(line: string, fail: Fail): ParsedSample {
  const pair = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\]|\\\\[\\\\"n])*"';
  const form = new RegExp(`^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\\{(${pair}(?:,${pair})*)\\})? (\\S+)$`);
  const [, name, labels = '', number] = form.exec(line) ?? fail('no sample');
  const value = numberOf(number!) ?? fail('no number');
  const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label, text]): [string, string] => {
    if (label!.startsWith('__')) fail('a label of the server');
    return [label!, unescaped(text!, /\\[\\"n]/g, fail)];
  });
  if (new Set(pairs.map(([label]) => label)).size < pairs.length) fail('a label twice');
  return { name: name!, labels: Object.fromEntries(pairs), value };
}

function numberOf(text: string): number | undefined {
  const special: Readonly<Record<string, number>> = { NaN: NaN, '+Inf': Infinity, '-Inf': -Infinity };
  if (text in special) return special[text];
  return /^-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/.test(text) ? Number(text) : undefined;
}

/** For each series: limits ascend to infinity, counts do not fall, the last is the count, and there is a sum. */
function checkHistogram({ name, samples }: ParsedFamily): void {
  const groups = new Map<string, ParsedSample[]>();
  for (const sample of samples) {
    const others = Object.entries(sample.labels).filter(([label]) => label !== 'le');
    const key = JSON.stringify(others.sort());
    groups.set(key, [...(groups.get(key) ?? []), sample]);
  }
  for (const [key, group] of groups) {
    const buckets = group.filter((sample) => sample.name === `${name}_bucket`);
    const limits = buckets.map(({ labels: { le = '' } }) => numberOf(le) ?? NaN);
    const isRising = (list: readonly number[], strictly: boolean): boolean =>
      list.every((value, i) => i === 0 || value > list[i - 1]! || (!strictly && value === list[i - 1]));
    const counts = buckets.map(({ value }) => value);
    const count = group.find((sample) => sample.name === `${name}_count`)?.value;
    const hasSum = group.some((sample) => sample.name === `${name}_sum`);
    const fits = limits.at(-1) === Infinity && isRising(limits, true) && isRising(counts, false);
    if (!fits || !hasSum || count !== counts.at(-1)) throw new Error(`histogram ${name}${key} does not fit together`);
  }
}
