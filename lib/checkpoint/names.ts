import { createHash, randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { threadId } from 'node:worker_threads';

// What the folders are called. The newest is found by these names alone.

/** A checkpoint by its folder's name. */
export interface Named {
  readonly name: string;
  readonly step: number;
  /** How often this step had been saved before: its folder has another name each time. */
  readonly repeat: number;
}

/** The checkpoint of this name; undefined for any other name. */
export function namedBy(name: string): Named | undefined {
  const [, step, repeat] = /^step-(\d{8,16})(?:\.([1-9]\d{0,8}))?$/.exec(name) ?? [];
  if (step === undefined || !Number.isSafeInteger(Number(step))) return undefined;
  return nameOf(Number(step), 0) === `step-${step}`
    ? { name, step: Number(step), repeat: Number(repeat ?? 0) }
    : undefined;
}

export function nameOf(step: number, repeat: number): string {
  const name = `step-${String(step).padStart(8, '0')}`;
  return repeat === 0 ? name : `${name}.${repeat}`;
}

/** Those among names in a folder, the newest first. */
export function checkpointsAmong(names: readonly string[]): Named[] {
  return names
    .map(namedBy)
    .filter((named) => named !== undefined)
    .sort((a, b) => b.step - a.step || b.repeat - a.repeat);
}

// A folder that is being written or removed tells by whom: when that process is gone, it is nobody's any more.
const host = (): string => createHash('sha256').update(hostname()).digest('hex').slice(0, 8);

/** A name beside `name` that nobody else takes. */
export const temporaryName = (name: string): string =>
  `.${name}.${host()}-${process.pid}-${threadId}-${randomBytes(6).toString('hex')}.tmp`;

/** Whether this is a temporary name, and of whom: `here` is this host, another process's fate is not known elsewhere. */
export function ownerOf(name: string): { here: boolean; pid: number; thread: number } | undefined {
  const match = /^\.step-[\d.]+\.([0-9a-f]{8})-(\d+)-(\d+)-[0-9a-f]{12}\.tmp$/.exec(name);
  return match === null ? undefined : { here: match[1] === host(), pid: Number(match[2]), thread: Number(match[3]) };
}
