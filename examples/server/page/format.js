// Numbers as people read them. `absent` stands for those that there are not, or not yet.
export const absent = '–';

const locale = 'en-US';
const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat(locale, { notation: 'compact', maximumSignificantDigits: 3 });
const clock = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false });

/** @typedef {number | null | undefined} Value */

/**
 * @param {Value} value
 * @returns {value is number}
 */
export function isNumber(value) {
  return typeof value === 'number' && Number.isFinite(value);
}

/** 12,345 @param {Value} value */
export function count(value) {
  return isNumber(value) ? whole.format(value) : absent;
}

/** 12.3K @param {Value} value */
export function compact(value) {
  return isNumber(value) ? short.format(value) : absent;
}

/** Four digits that tell something: 0.0123, 1.234, 4.2e-5. @param {Value} value */
export function decimal(value) {
  if (!isNumber(value)) return absent;
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size < 1e-3) return value.toExponential(1);
  if (size >= 1e4) return compact(value);
  return value.toFixed(size >= 100 ? 1 : size >= 10 ? 2 : size >= 1 ? 3 : 4);
}

/** As few digits as a value on an axis has: 0.5, 2, 1e-5. @param {number} value */
export function axisValue(value) {
  const size = Math.abs(value);
  if (size >= 1e4) return compact(value);
  return size !== 0 && size < 1e-3
    ? Number(value.toPrecision(2)).toExponential()
    : String(Number(value.toPrecision(4)));
}

/** 98.76 % @param {Value} share */
export function percent(share, digits = 2) {
  return isNumber(share) ? `${(100 * share).toFixed(digits)} %` : absent;
}

/** 1.23 ms, from milliseconds @param {Value} value */
export function milliseconds(value) {
  return isNumber(value) ? `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ms` : absent;
}

/** 85 ms or 1.2 s, from seconds @param {Value} value */
export function duration(value) {
  if (!isNumber(value)) return absent;
  return value < 1 ? `${Math.round(1000 * value)} ms` : `${value.toFixed(1)} s`;
}

/** 1 h 2 min, from seconds @param {number} value */
export function uptime(value) {
  const minutes = Math.floor(value / 60);
  if (minutes < 1) return `${Math.floor(value)} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 1 ? `${minutes} min` : `${count(hours)} h ${minutes % 60} min`;
}

/** 2.4 MB @param {Value} value */
export function bytes(value) {
  if (!isNumber(value)) return absent;
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, value < 1 ? 0 : Math.floor(Math.log10(value) / 3));
  const scaled = value / 1000 ** power;
  return `${scaled.toFixed(power === 0 || scaled >= 100 ? 0 : 1)} ${units[power]}`;
}

/** 13:05:09, here @param {number | string} moment milliseconds since 1970, or what Date reads */
export function time(moment) {
  const date = new Date(moment);
  return Number.isNaN(date.getTime()) ? absent : clock.format(date);
}
