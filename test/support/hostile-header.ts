// A program by itself: reads headers that are made to take memory, and says how much they took.
//
//   node build/ts/test/support/hostile-header.js 100      all of them, of 100 megabytes each, in processes of their own
import { spawnSync } from 'node:child_process';
import { parseSafetensors, SafetensorsError } from 'gradstep/safetensors';

/** Text that fills a header of about so many bytes, between what comes first and what comes last. */
type Filling = readonly [first: string, next: (i: number) => string, last: string];

const tensor = (name: string, begin: number, end: number, rest = ''): string =>
  `"${name}":{"dtype":"U8","shape":[${end - begin}],"data_offsets":[${begin},${end}]${rest}},`;
const good = '"w":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}';
const escaped = (i: number): string =>
  [...i.toString(36)].map((letter) => `\\u00${letter.charCodeAt(0).toString(16)}`).join('');

/** By name, what is in them. */
export const hostileHeaders: Readonly<Record<string, Filling>> = {
  'tensors without elements': ['{', (i) => tensor(`${i.toString(36)}.`, 0, 0), good],
  'tensors with escaped names': ['{', (i) => tensor(`${escaped(i)}.`, 0, 0), good],
  'tensors out of order': ['{', (i) => tensor(`${i.toString(36)}.`, 1e9 - i, 1e9 - i + 1), good],
  'tensors of many dimensions': [
    '{',
    (i) => `"${i}":{"dtype":"U8","shape":[0${',0'.repeat(999)}],"data_offsets":[0,0]},`,
    good,
  ],
  'one name': ['{"', () => 'abcdefghijklmnopqrstuvwxyz', `":${good.slice(4)}`],
  'one name of other letters': ['{"', () => 'äöü€😀', `":${good.slice(4)}`],
  'one name in escapes': ['{"', () => '\\u00e4\\n\\ud83d\\ude00', `":${good.slice(4)}`],
  'metadata of many keys': ['{"__metadata__":{', (i) => `"${i.toString(36)}":"",`, `"":""},${good}`],
  'metadata of one key': ['{"__metadata__":{"a":"', () => 'äbcdefgh', `"},${good}`],
  'braces in a string': ['{"', () => '{{{{{{{{', `":${good.slice(4)}`],
  'values nested too deep': ['{"w":{"x":', () => '[[[[[[[[', ''],
  'values nested, one after the other': ['{"w":{"x":[', () => `${'['.repeat(100)}${']'.repeat(100)},`, `0],${good.slice(5)}`],
  'fields that nobody knows': ['{"w":{', (i) => `"${i.toString(36)}":[1,{"a":"b"}],`, good.slice(5)],
  'digits': ['{"w":{"x":0.', () => '0123456789', `,${good.slice(5)}`],
  'names that are there twice': ['{', (i) => tensor((i % 1_000_000).toString(36), 0, 0), good],
  'a dtype that is not known': ['{"w":{"dtype":"', () => 'F32', `"}}`],
}; // prettier-ignore

/** A file of such a header, which takes no more memory than it has bytes. */
export function hostileFile(name: string, megabytes: number): Buffer {
  const [first, next, last] = hostileHeaders[name]!;
  const file = Buffer.alloc(megabytes * 1e6, ' ');
  let end = 8 + file.write(first, 8);
  for (let i = 0; ; i++) {
    const text = next(i);
    if (end + 4 * text.length + last.length > file.length) break;
    end += file.write(text, end);
  }
  file.write(last, end);
  file.writeBigUInt64LE(BigInt(file.length - 8));
  return file;
}

/** What reading a file takes beside the file, in bytes. */
export function takenBy(name: string, megabytes: number): { taken: number; outcome: string; seconds: number } {
  const file = hostileFile(name, megabytes);
  global.gc?.();
  const peak = (): number => 1024 * process.resourceUsage().maxRSS;
  const [before, start] = [Math.max(peak(), process.memoryUsage.rss()), performance.now()];
  let outcome: string;
  try {
    outcome = `${parseSafetensors(file).tensors.size} tensors`;
  } catch (error) {
    if (!(error instanceof SafetensorsError)) throw error;
    outcome = error.code;
  }
  return { taken: peak() - before, outcome, seconds: (performance.now() - start) / 1000 };
}

function main(megabytes: number, name: string | undefined): void {
  if (name !== undefined) return console.log(JSON.stringify(takenBy(name, megabytes)));
  for (const each of Object.keys(hostileHeaders)) {
    const { stdout, stderr } = spawnSync(process.execPath, [__filename, `${megabytes}`, each], { encoding: 'utf8' });
    if (stderr !== '') throw new Error(stderr);
    const { taken, outcome, seconds } = JSON.parse(stdout) as ReturnType<typeof takenBy>;
    const times = (taken / megabytes / 1e6).toFixed(2);
    console.log(`${each}: ${(taken / 1e6).toFixed(0)} MB, ${times} x the header, ${seconds.toFixed(2)} s, ${outcome}`);
  }
}

if (require.main === module) main(Number(process.argv[2] ?? 10), process.argv[3]);
