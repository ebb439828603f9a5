import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Failure } from '../mnist/failure';
import { readCsv, type Row } from './csv';

/** A table as a network takes it. */
export interface Table {
  readonly count: number;
  /** [count]: 1 where the aircraft was damaged. */
  readonly labels: Float32Array;
  /** [count, hashed per row]: buckets of what is in the columns, and of what is in several of them at a time. */
  readonly buckets: Int32Array;
  readonly bucketsPerRow: number;
  /** [count, categories.length]: which of a column's values it has. */
  readonly values: Int32Array;
  /** How many values each of these columns has. */
  readonly categories: readonly number[];
  /** [count, numbersPerRow], of mean 0 and variance 1. */
  readonly numbers: Float32Array;
  readonly numbersPerRow: number;
}

const damage = 'Effect Amount of damage';
const date = 'Flight Date';
const speed = 'Speed IAS in knots';

const month = (row: Row): string => row[date]!.slice(5, 7);
const speedBand = (row: Row): string => (row[speed] === '' ? '' : `${Math.floor(Number(row[speed]) / 25)}`);

/** What a row is described by; not the cost, which comes of the damage. */
const columns: Readonly<Record<string, (row: Row) => string>> = {
  airport: (row) => row['Airport Name']!,
  aircraft: (row) => row['Aircraft Make Model']!,
  operator: (row) => row['Aircraft Airline Operator']!,
  state: (row) => row['Origin State']!,
  phase: (row) => row['Phase of flight']!,
  size: (row) => row['Wildlife Size']!,
  species: (row) => row['Wildlife Species']!,
  time: (row) => row['Time of day']!,
  month,
  speed: speedBand,
};

/** Columns of which what is in both may matter more than each alone. */
const crosses = [
  ['size', 'phase'],
  ['size', 'aircraft'],
  ['size', 'speed'],
  ['species', 'phase'],
  ['species', 'speed'],
  ['aircraft', 'phase'],
  ['airport', 'month'],
  ['airport', 'size'],
] as const;

/** Values that are rarer count as one, the first. */
const rare = 5;

/** @throws Failure for a file that is missing or something else. */
export function loadTable(file: string | undefined, buckets: number): Table {
  const path = file ?? packageFile();
  const needed = [
    'Airport Name',
    'Aircraft Make Model',
    'Aircraft Airline Operator',
    'Origin State',
    'Phase of flight',
    'Wildlife Size',
    'Wildlife Species',
    'Time of day',
    damage,
    date,
    speed,
  ];
  const rows = readCsv(path, needed);
  const texts = Object.values(columns).map((of) => rows.map(of));
  const numbered = texts.map(numbersOf);
  const numbers = [rows.map((row) => Number(row[speed])), rows.map((row) => Number(row[date]!.slice(0, 4)))].map(
    standardized,
  );
  const keys = [
    ...Object.entries(columns).map(
      ([name, of]) =>
        (row: Row) =>
          `${name}=${of(row)}`,
    ),
    ...crosses.map(
      ([a, b]) =>
        (row: Row) =>
          `${a}=${columns[a]!(row)}&${b}=${columns[b]!(row)}`,
    ),
  ];
  return {
    count: rows.length,
    labels: Float32Array.from(rows, (row) => (row[damage] === 'None' ? 0 : 1)),
    buckets: Int32Array.from(rows.flatMap((row) => keys.map((key) => hash(key(row)) % buckets))),
    bucketsPerRow: keys.length,
    values: Int32Array.from(rows.flatMap((_, i) => numbered.map(({ numbers }) => numbers[i]!))),
    categories: numbered.map(({ count }) => count),
    numbers: Float32Array.from(rows.flatMap((_, i) => numbers.map((column) => column[i]!))),
    numbersPerRow: numbers.length,
  };
}

/** A number for each text: 0 for those that are rare. */
function numbersOf(texts: readonly string[]): { numbers: Int32Array; count: number } {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  const frequent = [...counts].filter(([, count]) => count >= rare).map(([text]) => text);
  const numberOf = new Map(frequent.map((text, i) => [text, i + 1]));
  return { numbers: Int32Array.from(texts, (text) => numberOf.get(text) ?? 0), count: frequent.length + 1 };
}

/** Less the mean, divided by the standard deviation. 0, which stands for what is not known, becomes the mean. */
function standardized(values: readonly number[]): number[] {
  const known = values.filter((value) => value > 0);
  const mean = known.reduce((sum, value) => sum + value, 0) / Math.max(1, known.length);
  const variance = known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, known.length);
  return values.map((value) => (value > 0 && variance > 0 ? (value - mean) / Math.sqrt(variance) : 0));
}

/** Source: FNV-1a, 32 bits, by Fowler, Noll and Vo. */
function hash(text: string): number {
  let state = 0x811c9dc5;
  for (const byte of Buffer.from(text)) state = Math.imul(state ^ byte, 0x01000193);
  return state >>> 0;
}

function packageFile(): string {
  // The sources lie in examples/tabular, what is compiled of them in build/ts/examples/tabular. The package has a folder of its
  // own, as it brings another version of a package that this example imports.
  const folder = join(__dirname, '..', '..', '..', '..', 'examples', 'tabular', 'data');
  try {
    const entry = createRequire(join(folder, 'package.json')).resolve('vega-datasets'); // in its folder `build`
    return join(dirname(entry), '..', 'data', 'birdstrikes.csv');
  } catch {
    throw new Failure('the table is not installed: run npm run example:tabular, or name a file with --table');
  }
}
