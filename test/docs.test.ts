import { expect } from 'chai';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as gradstep from 'gradstep';
import ts from 'typescript';
import { runScript } from './support/child';

// The compiled tests lie in build/ts/test.
const root = join(__dirname, '..', '..', '..');
const library = join(root, 'dist', 'index.d.ts');

interface Example {
  readonly where: string;
  readonly code: string;
}

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
  return pages.flatMap((page) =>
    [...readFileSync(join(root, page), 'utf8').matchAll(/^```ts\n([^]*?)^```/gm)].map((match, i) => ({
      where: `${page}, example ${i + 1}`,
      code: match[1]!,
    })),
  );
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
  const names = Object.keys(gradstep).join(', ');
  const prelude = `import { ${names} } from 'gradstep';
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
        return { where: `${file}, example ${i + 1}`, code: `${needed}\n${code.replace(/^```.*$/gm, '')}\nexport {};` };
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
      paths: { gradstep: [library] },
    });
    return ts.getPreEmitDiagnostics(program).map((problem) => {
      const which = files.indexOf(problem.file?.fileName ?? '');
      return `${examples[which]?.where ?? '?'}: ${ts.flattenDiagnosticMessageText(problem.messageText, ' ')}`;
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('the documentation', function () {
  this.timeout(60_000);

  it('has examples that compile, on every page', () => {
    const examples = fencedExamples();
    expect(examples.length).to.be.at.least(2);
    expect(errorsIn(examples)).to.deep.equal([]);
  });

  it('has examples that compile, in every doc comment', () => {
    const examples = documentedExamples();
    expect(examples.length).to.be.at.least(5);
    expect(errorsIn(examples)).to.deep.equal([]);
  });

  it('has a README whose examples run', () => {
    for (const { where, code } of fencedExamples().filter((example) => example.where.startsWith('README.md'))) {
      const { outputText, diagnostics } = ts.transpileModule(code, {
        compilerOptions: { module: ts.ModuleKind.CommonJS },
      });
      expect(diagnostics).to.deep.equal([]);
      const { status, stdout, stderr } = runScript(outputText);
      expect(status, `${where}: ${stderr}`).to.equal(0);
      const last = stdout.trim().split('\n').at(-1)!;
      if (last !== '') expect(Number(last.split(' ')[1]), 'the loss it prints').to.be.below(0.05);
    }
  });
});
