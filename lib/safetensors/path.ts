import { fileURLToPath } from 'node:url';
import { shown } from '../checks';

/** A path, or a `URL` of a file. */
export type SafetensorsPath = string | { readonly href: string };

/** @throws TypeError for what is neither, or a URL of something else. */
export function pathOf(path: unknown): string {
  if (typeof path === 'string') return path;
  const href = (path as Partial<{ href: unknown }> | null | undefined)?.href;
  if (typeof href !== 'string') throw new TypeError(`path must be a string or a URL, got ${shown(path)}`);
  return fileURLToPath(href);
}
