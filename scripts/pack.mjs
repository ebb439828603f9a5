// Around `npm pack` and `npm publish`: `release` puts the files that are published in the place of a clone's, which know
// the way to the addon that was built there; `clone` puts those back.
import { cpSync, rmSync } from 'node:fs';
import { stamp, bundleLibrary, releaseFolder } from './typescript.mjs';

if (process.argv[2] === 'release') {
  rmSync(stamp); // Should packing end half-way, the next build makes the clone's files anew.
  cpSync(releaseFolder, 'dist', { recursive: true });
} else {
  bundleLibrary('dist', { release: false });
}
