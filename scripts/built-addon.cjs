// What a clone loads: the addon built for this machine, with a warning when the native sources have changed since. Never
// published. CommonJS, as the library calls it while it loads.
const { existsSync, readdirSync, statSync } = require('node:fs');
const { join } = require('node:path');
const { isMainThread } = require('node:worker_threads');

const root = join(__dirname, '..');
const built = join(root, 'build/Release/gradstep.node');
const stamp = join(root, 'build/addon.stamp');

module.exports = function builtAddon() {
  if (!existsSync(built)) return undefined;
  if (isMainThread) setImmediate(warnIfStale); // A hundred files to look at: not while the program waits for its library.
  return built;
};

/** The dates of the sources are enough: a build that finds nothing to do renews its stamp's. */
function warnIfStale() {
  const time = existsSync(stamp) ? statSync(stamp).mtimeMs : 0;
  const sources = readdirSync(join(root, 'native'), { recursive: true })
    .filter((file) => /\.(cpp|h|gypi)$/.test(file) && !file.startsWith('test'))
    .map((file) => join('native', file));
  const changed = ['binding.gyp', ...sources].find((file) => statSync(join(root, file)).mtimeMs > time);
  if (changed) process.emitWarning(`gradstep's addon is older than ${changed}: npm run compile makes a new one`);
}
