// Builds what is stale: the addon, then the TypeScript. Says nothing when nothing is.
import { buildAddon } from './addon.mjs';
import { withLock } from './lock.mjs';
import { buildTypeScript } from './typescript.mjs';

await withLock(() => {
  buildAddon();
  buildTypeScript();
});
