import { Variable } from 'gradstep';
import { shown } from '../checks';
import type { StateEntry, Stateful } from '../tensor/state';
import { CheckpointError } from './error';
import type { Loaded } from './load';
import { modelFile, type Manifest } from './manifest';
import { isOf, type Part } from './parts';

// Which state goes to which object, before any of them looks at it.

/** What of a checkpoint is to be restored. */
export interface Selection {
  /** Whether parts of the checkpoint may be left out. */
  readonly partial: boolean;
  readonly only: ((key: string) => boolean) | undefined;
  readonly rename: ((key: string) => string) | undefined;
}

/** @throws CheckpointError for parts that the checkpoint has not, or that are not given. */
export function checkParts(path: string, manifest: Manifest, parts: readonly Part[], partial: boolean): void {
  const saved = Object.keys(manifest.parts);
  const names = parts.map(({ name }) => name);
  const lacking = names.filter((name) => !saved.includes(name));
  const extra = partial ? [] : saved.filter((name) => !names.includes(name));
  if (lacking.length === 0 && extra.length === 0) return;
  const wrong = [
    ...(lacking.length > 0 ? [`has no ${lacking.join(', ')}`] : []),
    ...(extra.length > 0 ? [`has ${extra.join(', ')} too, which { partial: true } would leave out`] : []),
  ];
  throw new CheckpointError('mismatch', `${path} ${wrong.join(' and ')}; it is of ${saved.join(', ')}`, path);
}

/** State under the keys that it has here. @throws Error when two would have one. */
export function selected(
  path: string,
  manifest: Manifest,
  { model, others }: { readonly model: Loaded; readonly others: Loaded },
  parts: readonly Part[],
  { only, rename, partial }: Selection,
): { readonly model: StateEntry[]; readonly others: StateEntry[] } {
  const saved = Object.keys(manifest.parts);
  const isWanted = (key: string): boolean => !partial || parts.some(({ name }) => isOf(name, key, saved));
  const given = (entries: Loaded): StateEntry[] => {
    const renamed = [...entries.values()].map((entry) => ({ ...entry, key: textFrom(rename, entry.key) }));
    const keys = new Set<string>();
    return renamed.filter(({ key }) => {
      if (!answerFrom(only, key)) return false;
      if (keys.has(key))
        throw new CheckpointError('mismatch', `${path} has two for ${shown(key)} after renaming`, path);
      keys.add(key);
      return true;
    });
  };
  const wanted = new Map([...others].filter(([key]) => isWanted(key)));
  const hasModel = parts.some(({ name }) => name === 'variables');
  return { model: hasModel ? given(model) : [], others: given(wanted) };
}

export function textFrom(rename: Selection['rename'], key: string): string {
  const name: unknown = rename === undefined ? key : rename(key);
  if (typeof name !== 'string') throw new TypeError(`rename must return a string, got ${shown(name)}`);
  return name;
}

export function answerFrom(only: Selection['only'], key: string): boolean {
  const answer: unknown = only === undefined ? true : only(key);
  if (typeof answer !== 'boolean') throw new TypeError(`only must return a boolean, got ${shown(answer)}`);
  return answer;
}

/** The objects that take state: of variables those that are asked for. */
export function takers(parts: readonly Part[], only: Selection['only']): Stateful[] {
  return parts.flatMap(({ name, keyed }) =>
    name === 'variables' ? keyed.filter((part) => part instanceof Variable && answerFrom(only, part.name)) : keyed,
  );
}

const shownKeys = (keys: readonly string[]): string =>
  keys.slice(0, 20).map(shown).join(', ') + (keys.length > 20 ? ` and ${keys.length - 20} more` : '');

/** @throws CheckpointError that lists all variables that are only here or only there. */
export function checkModel(path: string, model: readonly StateEntry[], parts: readonly Stateful[]): void {
  const here = new Set(parts.filter((part) => part instanceof Variable).map(({ name }) => name));
  const there = new Set(model.map(({ key }) => key));
  const missing = [...here].filter((name) => !there.has(name));
  const unknown = [...there].filter((name) => !here.has(name));
  if (missing.length === 0 && unknown.length === 0) return;
  const wrong = [
    ...(missing.length > 0 ? [`lacks ${shownKeys(missing)}`] : []),
    ...(unknown.length > 0 ? [`has ${shownKeys(unknown)}, which none of the variables is named`] : []),
  ];
  throw new CheckpointError('mismatch', `${modelFile} of ${path} ${wrong.join(' and ')}`, path);
}
