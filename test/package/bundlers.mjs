// The recipes of docs/installing.md, as they are written there: their files are written, their commands run, and the last
// line is how the bundle is started, in an empty folder that holds nothing but out/.
import { spawn } from 'node:child_process';
import { readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { root, targets } from '../../scripts/files.mjs';
import * as kit from './kit.mjs';

const arch = process.arch === 'arm64' ? 'aarch64' : 'x64';
const bun = `@oven/bun-linux-${arch}`;

const page = readFileSync(join(root, 'docs/installing.md'), 'utf8');

/** A recipe's files by their names, the commands that build `out/`, and the one that starts what is in it. */
function recipe(heading) {
  const [, section] = page.split(`\n### ${heading}\n`);
  if (section === undefined) throw new Error(`docs/installing.md has no recipe for ${heading}`);
  const blocks = [...section.split(/\n##/)[0].matchAll(/^```(\w+)\n([^]*?)\n```/gm)];
  const files = {};
  for (const [, language, text] of blocks) {
    const name = /^\/\/ (\S+)\n/.exec(text)?.[1];
    if (language === 'json') files[name] = text.replace(/^.*\n/, '');
    else if (language !== 'sh') files[name] = text;
  }
  const commands = blocks.filter(([, language]) => language === 'sh').flatMap(([, , text]) => text.split('\n'));
  return { files, start: commands.pop(), commands: commands.map(here) };
}

/** The tools are at hand without npx, and the binary is that of this machine. */
const here = (command) => command.replaceAll('npx ', '').replaceAll('linux-x64', kit.target);

/** Builds by the recipe, in a project that has the program and these files. @returns a place with nothing but out/. */
function built(heading, place, more = {}) {
  const { files, commands, start } = recipe(heading);
  kit.write(place, { ...kit.program, ...files, ...more });
  kit.addLibrary(place);
  for (const command of commands) kit.run(place, command);
  return { away: kit.moved(place, 'out'), start };
}

function stepsFrom(heading, expected = kit.stepped) {
  return () => {
    const { away, start } = built(heading, kit.project('bundlers', heading));
    kit.expectSame(kit.run(away, start), expected);
  };
}

/** Starts a server, asks it once at the address that it is told by PORT, and ends it. */
async function answerOf(place, command, path) {
  const port = 20000 + (process.pid % 20000);
  const server = spawn('sh', ['-c', `exec ${command}`], {
    cwd: place,
    env: { ...process.env, PORT: `${port}`, HOSTNAME: '127.0.0.1' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  try {
    for (let tries = 0; ; tries++) {
      try {
        return await (await fetch(`http://127.0.0.1:${port}${path}`)).text();
      } catch (error) {
        if (tries === 100) throw error;
        await setTimeout(100);
      }
    }
  } finally {
    server.kill();
  }
}

export function prepare() {
  kit.install('bundlers', [
    'esbuild@0.28.2',
    'webpack@5.112.2',
    'webpack-cli@7.3.1',
    'node-loader@2.1.0',
    'rollup@4.68.8',
    '@rollup/plugin-commonjs@29.0.3',
    '@rollup/plugin-node-resolve@16.0.3',
    '@vercel/nft@1.11.5',
    '@vercel/ncc@0.45.0',
    'postject@1.0.0-alpha.6',
    '@electron/asar@3.4.1',
    `${bun}@1.4.5`,
  ]);
  const programs = join(root, 'build/package/bundlers/node_modules/.bin');
  rmSync(join(programs, 'bun'), { force: true });
  symlinkSync(`../${bun}/bin/bun`, join(programs, 'bun'));
}

export const tests = {
  'esbuild copies all binaries': stepsFrom('esbuild'),
  'esbuild copies one binary': stepsFrom('esbuild: one binary'),
  'esbuild makes an ES module': stepsFrom('esbuild: an ES module'),
  'webpack makes CommonJS': stepsFrom('webpack'),
  'webpack makes an ES module': stepsFrom('webpack: an ES module'),
  'Rollup makes an ES module and CommonJS': stepsFrom('Rollup', `${kit.stepped}\n${kit.stepped}`),
  'nft finds the binaries': stepsFrom('@vercel/nft'),
  'ncc copies the binaries': stepsFrom('@vercel/ncc'),
  'bun build --compile makes one program': stepsFrom('bun build --compile'),
  'a single executable of Node steps with the binary beside it': stepsFrom('Single executable applications of Node'),

  'Next.js serves a step from its standalone output': async () => {
    // Apart from this repository, whose lock file would make it the root of the project.
    const place = kit.emptyFolder();
    kit.write(place, { 'package.json': { name: 'app', private: true } });
    kit.npm(place, 'install', '--ignore-scripts', 'next@16.4.6', 'react@19.2.0', 'react-dom@19.2.0');
    const route = kit.program['main.mjs'].replace('console.log', 'export const GET = () => new Response');
    const { away, start } = built('Next.js', place, {
      'app/layout.js': 'export default ({ children }) => <html><body>{children}</body></html>;',
      'app/step/route.js': `export const dynamic = 'force-dynamic';\n${route}`,
    });
    kit.expectSame(await answerOf(away, start, '/step'), kit.stepped);
  },

  'Electron finds the binary beside the archive': () => {
    const { files } = recipe('Electron');
    const [unpack] = JSON.parse(files['package.json']).build.asarUnpack;
    const place = kit.project('bundlers', 'electron');
    kit.write(place, { 'app/package.json': { name: 'app' }, ...inFolder('app', kit.program) });
    kit.addLibrary(join(place, 'app'));
    kit.run(place, `asar pack app out/resources/app.asar --unpack '${unpack}'`);
    // Electron is not at hand. What it does: the archive looks like a folder, and `process.dlopen` goes to the one beside it.
    kit.run(
      place,
      'asar extract out/resources/app.asar folder && rm out/resources/app.asar && mv folder out/resources/app.asar',
    );
    for (const target of targets) {
      kit.write(place, { [`out/resources/app.asar/node_modules/gradstep/prebuilds/${target}.node`]: 'in the archive' });
    }
    kit.write(place, { 'out/electron.cjs': electron });
    const away = kit.moved(place, 'out');
    kit.expectSame(kit.run(away, 'node -r ./out/electron.cjs out/resources/app.asar/main.cjs'), kit.stepped);
    const said = kit.run(away, 'node out/resources/app.asar/main.cjs', { fails: true });
    kit.expectMatch(said, /asarUnpack/);
  },
};

const electron = `
const { dlopen } = process;
process.dlopen = (module, file, ...flags) => dlopen(module, file.replace('app.asar', 'app.asar.unpacked'), ...flags);
`;

const inFolder = (folder, files) =>
  Object.fromEntries(Object.entries(files).map(([name, contents]) => [`${folder}/${name}`, contents]));
