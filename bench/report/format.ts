const prefixes = [
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
] as const;

/** Three digits that matter: 0.0123, 1.23, 123. */
export function digits(x: number): string {
  if (x === 0) return '0';
  if (Math.abs(x) >= 1000) return Math.round(x).toLocaleString('en-US');
  return String(Number(x.toPrecision(3)));
}

export function seconds(s: number): string {
  if (s < 1e-6) return `${digits(s * 1e9)} ns`;
  if (s < 1e-3) return `${digits(s * 1e6)} µs`;
  return s < 1 ? `${digits(s * 1e3)} ms` : `${digits(s)} s`;
}

/** 12345678901 B/s as '12.3 GB/s'. */
export function withPrefix(x: number, unit: string): string {
  const [size, prefix] = prefixes.find(([size]) => Math.abs(x) >= size) ?? [1, ''];
  return `${digits(x / size)} ${prefix}${unit}`;
}

export function percent(x: number): string {
  return `${digits(100 * x)} %`;
}
