import { fileURLToPath } from 'node:url';
import { shown } from '../checks';

/** A folder, as a string or a `URL`. */
export type CheckpointPath = string | { readonly href: string };

/** @throws TypeError for what is neither, or a URL of something else. */
export function pathOf(what: string, path: unknown): string {
  if (typeof path === 'string' && path !== '') return path;
  const href = (path as Partial<{ href: unknown }> | null | undefined)?.href;
  if (typeof href !== 'string') throw new TypeError(`${what} must be a path or a URL, got ${shown(path)}`);
  return fileURLToPath(href);
}
