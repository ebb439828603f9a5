import type { MetricFamily } from './reader';

// Prometheus' text format 0.0.4.

/** The MIME type of what `text` of `Metrics` gives. */
export const textContentType = 'text/plain; version=0.0.4; charset=utf-8';

export function textOf(families: readonly MetricFamily[]): string {
  const lines: string[] = [];
  for (const { name, help, type, samples } of families) {
    lines.push(`# HELP ${name} ${escaped(help)}\n# TYPE ${name} ${type}\n`);
    for (const { name, labels, value } of samples) lines.push(`${name}${labelText(labels)} ${numberText(value)}\n`);
  }
  return lines.join('');
}

const escaped = (text: string): string => text.replace(/\\/g, '\\\\').replace(/\n/g, '\\n');

function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value).replace(/"/g, '\\"')}"`);
  return pairs.length === 0 ? '' : `{${pairs.join()}}`;
}

function numberText(value: number): string {
  if (value === Infinity) return '+Inf';
  return value === -Infinity ? '-Inf' : String(value);
}
