// Package managers, each of which installs the tarball without a warning, a script or a build, and runs a step from it.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { targets } from '../../scripts/files.mjs';
import * as kit from './kit.mjs';

const arch = process.arch === 'arm64' ? 'aarch64' : 'x64';
const bun = `node_modules/@oven/bun-linux-${arch}/bin/bun`;
const deno = `node_modules/@deno/linux-${process.arch === 'arm64' ? 'arm64' : 'x64'}-glibc/deno`;
const pnpm = 'node node_modules/pnpm/bin/pnpm.mjs';
const pnpm10 = 'node node_modules/pnpm-10/bin/pnpm.cjs';
const yarn = 'node node_modules/@yarnpkg/cli-dist/bin/yarn.js';

/** A command of a tool that lies above the project. */
const tool = (command) => command.replace('node_modules/', '../../node_modules/');

export function prepare() {
  kit.install('installers', [
    'pnpm@12.21.0',
    'pnpm-10@npm:pnpm@10.28.0',
    '@yarnpkg/cli-dist@4.18.1',
    `@oven/bun-linux-${arch}@1.4.5`,
    `@deno/linux-${process.arch === 'arm64' ? 'arm64' : 'x64'}-glibc@2.9.6`,
  ]);
}

function newProject(name, files = {}) {
  const dependencies = { gradstep: `file:${kit.tarball()}` };
  const { manifest, ...others } = files;
  return kit.project('installers', name, {
    ...kit.program,
    'package.json': { name: 'app', version: '1.0.0', private: true, dependencies, ...manifest },
    ...others,
  });
}

/** Installs, looks at what that said and left, then steps in CommonJS and in an ES module. */
function installs(name, install, { node = 'node', files, env, tolerated = /$^/g } = {}) {
  return () => {
    const place = newProject(name, files);
    const said = kit.run(place, tool(install), { env });
    kit.expectNoMatch(
      said.replaceAll(tolerated, ''),
      /warn|deprecated|ignored|blocked|approve|node-gyp|gyp |YN0004|YN0005|postinstall/i,
    );
    for (const file of ['main.cjs', 'main.mjs']) {
      kit.expectSame(kit.run(place, `${tool(node)} ${file}`, { env }), kit.stepped);
    }
    return { place, said };
  };
}

/** Not the settings of the one who runs the tests; a folder with a lock file of its own, so that it is no part of ours. */
const yarnProject = (settings, manifest) => ({
  'yarn.lock': '',
  '.yarnrc.yml': ['enableTelemetry: false', 'enableGlobalCache: false', ...settings, ''].join('\n'),
  manifest,
});
const yarnEnv = { YARN_ENABLE_IMMUTABLE_INSTALLS: '0', CI: '' };

export const tests = {
  'npm installs it, scripts or not': () => {
    const { place } = installs('npm', 'npm install --no-audit --no-fund --foreground-scripts')();
    const library = join(place, 'node_modules/gradstep');
    for (const folder of ['build', 'node_modules', 'binding.gyp', 'native', 'lib']) {
      if (existsSync(join(library, folder))) throw new Error(`the package has a ${folder}`);
    }
    for (const target of targets) {
      if (!existsSync(join(library, `prebuilds/${target}.node`))) throw new Error(`the package has no ${target}`);
    }
    installs('npm', 'npm install --no-audit --no-fund --ignore-scripts')();
  },
  'pnpm 12 installs it': installs('pnpm', `${pnpm} install --ignore-workspace`),
  'pnpm 10 installs it': installs('pnpm', `${pnpm10} install --ignore-workspace`),
  'Yarn installs it in node_modules': installs('yarn', `${yarn} install`, {
    files: yarnProject(['nodeLinker: node-modules']),
    env: yarnEnv,
  }),
  "Yarn installs it in its Plug'n'Play": installs('pnp', `${yarn} install`, {
    node: `${yarn} node`,
    files: yarnProject(['nodeLinker: pnp', 'pnpEnableEsmLoader: true']),
    env: yarnEnv,
    // Yarn's word on its own loader for ES modules.
    tolerated: /YN0092: .*experimental|Done with warnings/g,
  }),
  "Yarn's Plug'n'Play that was told to leave it in the archive is told what to do": () => {
    const manifest = { dependenciesMeta: { gradstep: { unplugged: false } } };
    const place = newProject('zipped', yarnProject(['nodeLinker: pnp'], manifest));
    kit.run(place, tool(`${yarn} install`), { env: yarnEnv });
    const said = kit.run(place, tool(`${yarn} node main.cjs`), { env: yarnEnv, fails: true });
    kit.expectMatch(said, /what to do: .*"dependenciesMeta": \{"gradstep": \{"unplugged": true\}\}/);
  },
  'Bun installs and runs it': installs('bun', `${bun} install`, { node: bun }),
  'Deno without permission to load libraries is told what to do': () => {
    const place = newProject('deno');
    kit.addLibrary(place);
    const run = (...flags) => tool(`${deno} run --no-prompt ${flags.join(' ')} main.mjs`);
    kit.expectSame(kit.run(place, run('--allow-ffi', '--allow-read', '--allow-env')), kit.stepped);
    const said = kit.run(place, run('--allow-read', '--allow-env'), { fails: true });
    kit.expectMatch(said, /what to do: Start Deno with --allow-ffi/);
  },
};
