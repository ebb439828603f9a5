import { expect } from 'chai';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as gradstep from 'gradstep';
import ts from 'typescript';
import { runScript } from './support/child';
import { tfjsModules } from './tfjs/tf';

// The compiled tests lie in build/ts/test.
const root = join(__dirname, '..', '..', '..');
const library = join(root, 'dist', 'index.d.ts');
const tfjsEntry = join(root, 'dist', 'tfjs', 'index.d.ts');
const safetensorsEntry = join(root, 'dist', 'safetensors', 'index.d.ts');
const checkpointEntry = join(root, 'dist', 'checkpoint', 'index.d.ts');
const tensorboardEntry = join(root, 'dist', 'tensorboard', 'index.d.ts');

// Examples that need TensorFlow.js, which `npm ci` does not install: `npm run test:tfjs` runs them.
const needsTfjs = ({ code }: Example): boolean => code.includes("'@tensorflow/");
const isRunnable = (example: Example): boolean => tfjsModules !== null || !needsTfjs(example);

interface Example {
  readonly where: string;
  readonly code: string;
  /** Those of the same page that are files which it runs. */
  readonly files?: readonly Example[];
}

/** An example that starts with `// worker.ts` is that file. */
const fileName = ({ code }: Example): string | undefined => /^\/\/ ([\w-]+)\.ts\n/.exec(code)?.[1];

const filesIn = (folder: string, ending: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(ending) && !file.includes('node_modules'))
    .map((file) => join(folder, file));

function fencedExamples(): Example[] {
  const pages = [
    'README.md',
    'CONTRIBUTING.md',
    ...['bench', 'examples', 'docs'].flatMap((folder) => tryFiles(folder)),
  ];
  return pages.flatMap((page) => {
    const found = [...readFileSync(join(root, page), 'utf8').matchAll(/^```ts\n([^]*?)^```/gm)];
    const examples = found.map((match, i) => ({ where: `${page}, example ${i + 1}`, code: match[1]! }));
    const files = examples.filter((example) => fileName(example) !== undefined);
    return examples.map((example) => ({ ...example, files }));
  });
}

function tryFiles(folder: string): string[] {
  try {
    return filesIn(folder, '.md');
  } catch {
    return []; // no such folder
  }
}

/** The @example blocks of doc comments, with the names that they take for granted. */
function documentedExamples(): Example[] {
  const names = Object.keys(gradstep);
  const prelude = `
    declare const x: Tensor; declare const v: Variable; declare const w: Variable; declare const loss: () => Tensor;
    declare const optimizer: AdamOptimizer;`;
  return filesIn('lib', '.ts').flatMap((file) =>
    [...readFileSync(join(root, file), 'utf8').matchAll(/@example\n([^]*?)(?=\n\s*\*\s*@|\n\s*\*\/)/g)].map(
      (match, i) => {
        const code = match[1]!.replace(/^\s*\* ?/gm, '');
        const own = [...code.matchAll(/^(?:const|let) (\w+)\b/gm)].map(([, name]) => name!);
        const needed = own.reduce(
          (text, name) => text.replace(new RegExp(`declare const ${name}: [^;]*;`), ''),
          prelude,
        );
        const imports = `import { ${names.filter((name) => !own.includes(name)).join(', ')} } from 'gradstep';`;
        return {
          where: `${file}, example ${i + 1}`,
          code: `${imports}${needed}\n${code.replace(/^```.*$/gm, '')}\nexport {};`,
        };
      },
    ),
  );
}

function errorsIn(examples: readonly Example[]): string[] {
  const folder = mkdtempSync(join(root, 'build', 'docs-'));
  try {
    const files = examples.map(({ code }, i) => {
      const file = join(folder, `example${i}.ts`);
      writeFileSync(file, code);
      return file;
    });
    const program = ts.createProgram(files, {
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.Node16,
      moduleResolution: ts.ModuleResolutionKind.Node16,
      types: ['node'],
      paths: {
        gradstep: [library],
        'gradstep/tfjs': [tfjsEntry],
        'gradstep/parallel': [join(root, 'dist', 'parallel', 'index.d.ts')],
        'gradstep/safetensors': [safetensorsEntry],
        'gradstep/checkpoint': [checkpointEntry],
        'gradstep/layers': [join(root, 'dist', 'layers', 'index.d.ts')],
        'gradstep/tensorboard': [tensorboardEntry],
        'gradstep/metrics': [join(root, 'dist', 'metrics', 'index.d.ts')],
        'gradstep/mpi': [join(root, 'dist', 'mpi', 'index.d.ts')],
        ...(tfjsModules === null ? {} : { '@tensorflow/*': [join(tfjsModules, '@tensorflow', '*')] }),
      },
    });
    return ts.getPreEmitDiagnostics(program).map((problem) => {
      const which = files.indexOf(problem.file?.fileName ?? '');
      return `${examples[which]?.where ?? '?'}: ${ts.flattenDiagnosticMessageText(problem.messageText, ' ')}`;
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function transpiled({ code }: Example): string {
  const { outputText, diagnostics } = ts.transpileModule(code, {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
  });
  expect(diagnostics).to.deep.equal([]);
  return outputText;
}

/** Runs a script as a file beside those of its page. */
function runBeside(files: readonly Example[], script: string): ReturnType<typeof runScript> {
  const folder = mkdtempSync(join(root, 'build', 'docs-'));
  try {
    for (const file of files) writeFileSync(join(folder, `${fileName(file)}.js`), transpiled(file));
    writeFileSync(join(folder, 'example.js'), script);
    return runScript(`require(${JSON.stringify(join(folder, 'example.js'))})`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Runs an example in a process of its own. Returns the lines it logs. */
function logged(example: Example): string[] {
  const { where, files = [] } = example;
  const script = transpiled(example);
  const env = tfjsModules === null ? {} : { NODE_PATH: tfjsModules };
  const { status, stdout, stderr } = files.length > 0 ? runBeside(files, script) : runScript(script, env);
  expect(status, `${where}: ${stderr}`).to.equal(0);
  return stdout.split('\n').slice(0, -1);
}

/** Whether a relative link names a file or folder, and its fragment a heading there. */
function leadsSomewhere(page: string, to: string): boolean {
  const [path, heading] = to.split('#');
  const target = path === '' ? join(root, page) : join(root, page, '..', path!);
  if (!existsSync(target)) return false;
  if (heading === undefined) return true;
  const headings = [...readFileSync(target, 'utf8').matchAll(/^#+ (.*)$/gm)].map((match) => match[1]!);
  return headings.some(
    (text) =>
      text
        .toLowerCase()
        .replace(/[^\w -]/g, '')
        .replaceAll(' ', '-') === heading,
  );
}

describe('the documentation', function () {
  this.timeout(60_000);

  it('has examples that compile, on every page', () => {
    const examples = fencedExamples().filter(isRunnable);
    expect(examples.length).to.be.at.least(2);
    expect(errorsIn(examples)).to.deep.equal([]);
  });

  it('has examples that compile, in every doc comment', () => {
    const examples = documentedExamples();
    expect(examples.length).to.be.at.least(5);
    expect(errorsIn(examples)).to.deep.equal([]);
  });

  it('has a README whose examples run', () => {
    for (const example of fencedExamples().filter((each) => each.where.startsWith('README.md') && isRunnable(each))) {
      const last = logged(example).at(-1);
      if (last !== undefined) expect(Number(last.split(' ')[1]), 'the loss it prints').to.be.below(0.05);
    }
  });

  const onPages = fencedExamples().filter((each) => each.where.startsWith('docs') && fileName(each) === undefined);
  for (const example of onPages) {
    it(`says what its example prints: ${example.where}`, function () {
      if (!isRunnable(example)) this.skip();
      const promised = [...example.code.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map((match) => match[1]!);
      expect(promised).to.have.length.of.at.least(1);
      expect(logged(example)).to.deep.equal(promised);
    });
  }

  it('names only what exists where it says what replaces names of other libraries', () => {
    const rows = readFileSync(join(root, 'docs', 'migration.md'), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('| '));
    const replacements = rows.flatMap((row) => [
      ...row.split('|')[2]!.matchAll(/`(?:new |ops\.)?([A-Za-z]\w*)(?=\(|`)/g),
    ]);
    const declarations = filesIn('dist', '.d.ts').map((file) => readFileSync(join(root, file), 'utf8'));
    const existing = new Set(declarations.join().match(/\w+/g));
    expect(replacements.length).to.be.at.least(100);
    expect(replacements.map((match) => match[1]!).filter((name) => !existing.has(name))).to.deep.equal([]);
  });

  it('has links that lead somewhere', () => {
    const pages = ['README.md', 'CONTRIBUTING.md', ...tryFiles('docs')];
    const links = pages.flatMap((page) =>
      [...readFileSync(join(root, page), 'utf8').matchAll(/\]\((?!https?:)([^)]+)\)/g)].map((match) => ({
        page,
        to: match[1]!,
      })),
    );
    expect(links.length).to.be.at.least(30);
    expect(links.filter(({ page, to }) => !leadsSomewhere(page, to))).to.deep.equal([]);
  });
});
