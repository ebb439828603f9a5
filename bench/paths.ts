import { join } from 'node:path';

/** The project's folder: this file runs as build/ts/bench/paths.js. */
export const root = join(__dirname, '..', '..', '..');
/** What the benches build, install and write; all of it can be deleted. */
export const scratch = join(root, 'build', 'bench');
export const sources = join(root, 'bench');
/** The results that README and docs show. */
export const published = join(root, 'docs', 'bench');
