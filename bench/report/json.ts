import { readFileSync, writeFileSync } from 'node:fs';
import type { Report } from '../results';

/** Numbers to six digits: more is noise, and makes the file hard to read. */
const rounded = (_key: string, value: unknown): unknown =>
  typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value;

export function writeJson(file: string, report: Report): void {
  writeFileSync(file, `${JSON.stringify(report, rounded, 2)}\n`);
}

export function readJson(file: string): Report {
  return JSON.parse(readFileSync(file, 'utf8')) as Report;
}
