import { readFileSync } from 'node:fs';
import { Failure, reasonOf } from '../mnist/failure';

/** A row of a table: what is in each column, by its name. */
export type Row = Readonly<Record<string, string>>;

/** Reads comma separated values; the first line has the names. @throws Failure unless the file has these columns and some rows. */
export function readCsv(path: string, columns: readonly string[]): Row[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new Failure(`cannot read ${path}: ${reasonOf(error)}`);
  }
  const [names = [], ...lines] = text.split(/\r?\n/).filter(Boolean).map(fieldsOf);
  const missing = columns.find((column) => !names.includes(column));
  if (missing !== undefined) throw new Failure(`${path} has no column '${missing}'`);
  if (lines.length === 0) throw new Failure(`${path} has no rows`);
  return lines.map((fields) => Object.fromEntries(names.map((name, i) => [name, fields[i] ?? ''])));
}

/** What is between commas; with quotes around it, it may have commas in it, and quotes that are doubled. */
function fieldsOf(line: string): string[] {
  return Array.from(line.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g), ([, field]) =>
    field!.startsWith('"') ? field!.slice(1, -1).replaceAll('""', '"') : field!,
  );
}
