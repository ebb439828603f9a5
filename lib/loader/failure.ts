// Why the binary cannot be loaded, and what to do about it. Read only when that has happened.
import { readFileSync } from 'node:fs';
import { usesMusl } from './elf';

const page = 'https://github.com/gradstep/gradstep/blob/main/docs/installing.md';
const reinstall = 'Remove the package and install it again';

interface Problem {
  /** What was thrown: its code and first line. */
  readonly reason: string;
  /** The file, where it is known. */
  readonly file: string | undefined;
  readonly isNamed: boolean;
}

/** The error for users. `named` is the file that was to be loaded, if one was named. */
export function failure(cause: unknown, named: string | undefined): Error {
  const reason = reasonOf(cause);
  const file = named ?? /(?<![.\w])(?:\/|[A-Za-z]:\\|\\\\)[^'"()]*?\.node\b/.exec(reason)?.[0];
  const lines = [
    ['system', `${target()} (${[libc(), ...programs()].filter(Boolean).join(', ')})`],
    ['looked for', file ?? `prebuilds/${target()}.node${requiredBy(cause)}`],
    ['reason', reason],
    ['what to do', advice({ reason, file, isNamed: named !== undefined })],
    ['more', page],
  ];
  const text = lines.map(([name, value]) => `\n  ${`${name}:`.padEnd(12)}${value}`);
  return new Error(`gradstep cannot load its binary${text.join('')}`, { cause });
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as { code?: unknown };
  const line = error.message.replace(/^node-loader:\s*/, '').split('\n', 1)[0]!;
  const name = typeof code === 'string' ? code : error.name;
  return name === 'Error' ? line : `${name}: ${line}`;
}

function requiredBy(error: unknown): string {
  const [program] = (error as { requireStack?: string[] }).requireStack ?? [];
  return program === undefined ? '' : `, from ${program}`;
}

function target(): string {
  const { platform, arch } = process;
  return `${platform === 'linux' && usesMusl() ? 'linuxmusl' : platform}-${arch}`;
}

function libc(): string | undefined {
  if (process.platform !== 'linux') return undefined;
  if (usesMusl()) return 'musl';
  try {
    const { header } = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
    return `glibc ${header?.glibcVersionRuntime ?? 'of unknown version'}`;
  } catch {
    return 'glibc'; // Bun has no report, and Deno allows none.
  }
}

function programs(): string[] {
  const known = { electron: 'Electron', bun: 'Bun', deno: 'Deno', node: 'Node' };
  return Object.entries(known)
    .filter(([key]) => process.versions[key] !== undefined)
    .map(([key, name]) => `${name} ${process.versions[key]}`);
}

/** What a message says, and what to do then; the first that fits. */
const remedies: readonly (readonly [RegExp, string])[] = [
  [
    /the binary is of/,
    'The two come from different versions. Build the bundle again, or let GRADSTEP_BINARY name a file of this version',
  ],
  [/no binary for this system/, 'There are binaries for Linux (glibc, musl), macOS and Windows on x64 and arm64 only'],
  [/did not self-register/, 'The file is no binary of gradstep'],
  [
    /ERR_DLOPEN_DISABLED|loading addons is disabled/,
    'Start Node with --allow-addons beside --permission, and without --no-addons',
  ],
  [/NotCapable|PermissionDenied|--allow-ffi/, 'Start Deno with --allow-ffi, --allow-read and --allow-env'],
  [
    /\.zip[\\/]/,
    "An addon cannot be loaded out of Yarn's cache. In package.json: " +
      '"dependenciesMeta": {"gradstep": {"unplugged": true}}, then run yarn',
  ],
  [/app\.asar[\\/]/, 'An addon cannot be loaded out of an archive. For electron-builder: "asarUnpack": ["**/*.node"]'],
  [
    /GLIBC|Error relocating|symbol not found|undefined symbol/,
    'The C library of this system is older than the binary needs: use a newer system, or build from source',
  ],
  [
    /failed to map segment|cannot apply additional memory protection/,
    'The folder is on a file system that forbids programs (noexec): put the package on another',
  ],
  [
    /library load disallowed|code signature|not valid for use in process/,
    'macOS refuses libraries of other signers: sign the application with the entitlement ' +
      'com.apple.security.cs.disable-library-validation, or the binary with your identity',
  ],
];

function advice(problem: Problem): string {
  const remedy = remedies.find(([pattern]) => pattern.test(problem.reason));
  return remedy?.[1] ?? adviceOnFile(problem);
}

function adviceOnFile({ file, isNamed, reason }: Problem): string {
  const bytes = file === undefined ? undefined : contents(file);
  if (bytes === undefined) return isNamed ? 'There is no such file, or it cannot be read' : adviceOnMissing();
  const made = madeFor(bytes);
  if (made === undefined) return `The file (${bytes.length} bytes) is damaged, or no binary. ${reinstall}`;
  const here = `${process.platform} ${process.arch}`;
  if (made === here) {
    const isDamaged = /end is missing|invalid|too short|truncated|not a valid|header/i.test(reason);
    return isDamaged ? `The file (${bytes.length} bytes) is damaged. ${reinstall}` : 'See the page below';
  }
  const elsewhere = `The file is made for ${made}, and this process runs on ${here}`;
  if (made.split(' ')[0] === process.platform) {
    return `${elsewhere}: use a Node of that architecture, or gradstep/${target()} where one binary is chosen`;
  }
  return `${elsewhere}: use gradstep/${target()} where one binary is chosen`;
}

function adviceOnMissing(): string {
  // What a bundler makes lies elsewhere, and in an ES module the name may be missing.
  const isPackage = typeof __dirname === 'string' && /[\\/]dist[\\/]loader$/.test(__dirname);
  if (!isPackage) {
    return (
      'A bundler has left the binary out: the page below has the setting for each ' +
      '(esbuild: --loader:.node=copy, webpack: node-loader); or let GRADSTEP_BINARY name the file'
    );
  }
  if (typeof RELEASE === 'undefined') return 'This is a clone of the source: npm run compile';
  if (process.versions['pnp'] !== undefined) {
    return 'The file is missing: "dependenciesMeta": {"gradstep": {"unplugged": true}} in package.json, then run yarn';
  }
  return `The file is missing: the package was installed, copied or pruned in part. ${reinstall}, with prebuilds/`;
}

function contents(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}

/** The platform and architecture that a binary is made for, as Node calls them, or undefined when it is none. */
function madeFor(bytes: Buffer): string | undefined {
  if (bytes.length < 64) return undefined;
  const magic = bytes.readUInt32BE(0);
  if (magic === 0x7f454c46) return named('linux', bytes.readUInt16LE(18), { x64: 0x3e, arm64: 0xb7 });
  if (magic === 0xcffaedfe) return named('darwin', bytes.readUInt32LE(4), { x64: 0x1000007, arm64: 0x100000c });
  if (magic >>> 16 !== 0x4d5a) return undefined;
  const at = bytes.readUInt32LE(60) + 4;
  return at + 2 > bytes.length ? undefined : named('win32', bytes.readUInt16LE(at), { x64: 0x8664, arm64: 0xaa64 });
}

function named(platform: string, machine: number, machines: Record<string, number>): string {
  const arch = Object.keys(machines).find((name) => machines[name] === machine);
  return `${platform} ${arch ?? 'on another processor'}`;
}
