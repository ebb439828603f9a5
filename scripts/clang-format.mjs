// Formats the C++ with the pinned clang-format, or with no argument fails where it would change something.
import { listFiles, run } from './files.mjs';

const folders = ['native', 'bench/native', 'scripts/prebuild/runtime'];
const files = folders.flatMap((folder) => listFiles(folder, ['.c', '.cpp', '.h']));
const mode = process.argv.includes('--write') ? ['-i'] : ['--dry-run', '-Werror'];
run(process.execPath, ['node_modules/@wasm-fmt/clang-format/clang-format-cli.cjs', '--style=file', ...mode, ...files]);
