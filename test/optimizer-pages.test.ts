import { expect } from 'chai';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as gradstep from 'gradstep';
import { createGlobalStep, IndexedSlices, Optimizer, OptimizerWrapper, variable } from 'gradstep';
import ts from 'typescript';

// The compiled tests lie in build/ts/test.
const root = join(__dirname, '..', '..', '..');
const folder = join(root, 'docs', 'optimizers');

type OptimizerClass = new (options: object) => Optimizer;
type Cells = readonly string[];

const classes = Object.entries(gradstep as Record<string, unknown>).flatMap(([name, value]) => {
  if (typeof value !== 'function' || !(value.prototype instanceof Optimizer)) return [];
  if (value === OptimizerWrapper || value.prototype instanceof OptimizerWrapper) return [];
  return [{ name, Class: value as OptimizerClass }];
});

/** adagrad-da.md for AdagradDAOptimizer. */
const plain = (name: string): string =>
  name
    .replace(/Optimizer$|\.md$/, '')
    .replaceAll('-', '')
    .toLowerCase();

const fileOf = (name: string): string | undefined =>
  readdirSync(folder).find((file) => plain(file) === plain(name) && existsSync(join(folder, file)));

/** The body of the table under a heading, cell by cell. */
function tableUnder(heading: string, page: string): Cells[] {
  const section = page.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? '';
  const lines = section.split('\n');
  const start = lines.findIndex((line) => line.startsWith('|---'));
  const end = lines.findIndex((line, i) => i > start && !line.startsWith('|'));
  return start < 0 ? [] : lines.slice(start + 1, end).map(cellsOf);
}

const cellsOf = (line: string): Cells =>
  line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());

const bare = (cell: string): string => cell.replaceAll('`', '');

/** The options a class takes beside those of every optimizer, with what the doc comment says is the default. */
function declaredOptions(): Map<string, Map<string, { required: boolean; documented: string | undefined }>> {
  const library = join(root, 'dist', 'index.d.ts');
  const program = ts.createProgram([library], {
    target: ts.ScriptTarget.ES2022,
    types: ['node'],
    skipLibCheck: true,
    strict: true,
  });
  const checker = program.getTypeChecker();
  const exported = checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(library)!)!);
  const resolve = (symbol: ts.Symbol) =>
    symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  const symbolOf = (name: string) => resolve(exported.find((symbol) => symbol.name === name)!);
  const common = new Set(
    checker
      .getDeclaredTypeOfSymbol(symbolOf('OptimizerOptions'))
      .getProperties()
      .map(({ name }) => name),
  );
  return new Map(
    classes.map(({ name }) => {
      const type = checker.getTypeOfSymbol(symbolOf(name));
      const parameter = type.getConstructSignatures()[0]!.parameters[0]!;
      const options = checker.getNonNullableType(checker.getTypeOfSymbol(parameter)).getProperties();
      const own = options.filter((option) => !common.has(option.name));
      return [name, new Map(own.map((option) => [option.name, describeOption(option, checker)]))];
    }),
  );
}

function describeOption(option: ts.Symbol, checker: ts.TypeChecker) {
  const text = ts.displayPartsToString(option.getDocumentationComment(checker)).replaceAll('\n', ' ');
  const documented = /Default: (.*?)\.?$/.exec(text)?.[1];
  return { required: (option.flags & ts.SymbolFlags.Optional) === 0, documented };
}

/** The values an optimizer steps with where none are given. */
function defaultsOf(optimizer: Optimizer): Record<string, unknown> {
  return (optimizer as unknown as { settings: { common: { given: Record<string, unknown> } } }).settings.common.given;
}

const marked = 0.40625; // a value that no slot starts from by itself

let declared: ReturnType<typeof declaredOptions>;

/** With what its class requires; options that a class does not have are left out. */
function create(Class: OptimizerClass, options: object = {}): Optimizer {
  const all = { learningRate: 0.25, momentum: 0.5, globalStep: createGlobalStep(), ...options };
  const names = declared.get(Class.name)!;
  return new Class(Object.fromEntries(Object.entries(all).filter(([name]) => names.has(name))));
}

/** Whether rows move that the gradient of a step does not mention. */
function movesEveryRow(optimizer: Optimizer): boolean {
  const table = variable([[1], [2]]);
  optimizer.applyGradients([[new IndexedSlices([[1]], [0]), table]]);
  const before = table.data[0];
  optimizer.applyGradients([[new IndexedSlices([[1]], [1]), table]]);
  return table.data[0] !== before;
}

describe('the page of', () => {
  const index = readFileSync(join(folder, 'README.md'), 'utf8');
  const rows = index.split('\n').filter((line) => /^\| \[\w+Optimizer\]/.test(line)).map(cellsOf); // prettier-ignore

  before(function () {
    this.timeout(60_000);
    declared = declaredOptions();
  });

  for (const { name, Class } of classes) {
    describe(name, () => {
      let page = '';

      before(() => {
        const file = fileOf(name);
        expect(file, `a page in docs/optimizers for ${name}`).to.not.equal(undefined);
        page = readFileSync(join(folder, file!), 'utf8');
      });

      it('is named after the class and is in the index', () => {
        expect(page.split('\n')[0]).to.equal(`# ${name}`);
        expect(rows.map(([link]) => link)).to.include(`[${name}](${fileOf(name)!})`);
      });

      it('lists the options there are', () => {
        const names = tableUnder('Options', page).map(([option]) => bare(option!));
        expect(names).to.have.members([...declared.get(name)!.keys()]);
      });

      it('and the doc comments give the defaults there are', () => {
        const values = defaultsOf(create(Class, { learningRate: undefined, momentum: undefined, ...required(name) }));
        for (const [option, cell] of tableUnder('Options', page).map((cells) => cells.map(bare))) {
          const { required, documented } = declared.get(name)!.get(option!)!;
          if (required) {
            expect(cell, option).to.equal('required');
          } else if (option! in values) {
            expect(Number(cell), option).to.equal(values[option!]);
            expect(Number(documented!.replace('−', '-')), `doc comment of ${option}`).to.equal(values[option!]);
          } else {
            expect(cell, option).to.equal(documented);
          }
        }
      });

      it('lists the state there is, and what it starts from', () => {
        const table = tableUnder('State', page).map((cells) => cells.map(bare));
        const hyperparameters = Object.keys(defaultsOf(create(Class)));
        const start = hyperparameters.find((option) => option.startsWith('initial'));
        const optimizer = create(Class, {
          ...(start && { [start]: marked }),
          ...('centered' in optionsOf(name) && { centered: true }),
        });
        const v = variable([1, 2], { name: 'v' });
        optimizer.createSlots([v]);
        const shared = optimizer.variables().filter((state) => !state.name.startsWith('v/'));
        expect(table.map(([state]) => state)).to.have.members([
          ...optimizer.getSlotNames(),
          ...shared.map((state) => state.name),
        ]);
        const slots = table.map(([state]) => optimizer.getSlot(v, state!)).filter((slot) => slot !== null);
        expect(slots.map((slot) => slot.name)).to.deep.equal(
          slots.map((_, i) => `v/${optimizer.getName()}${i ? `_${i}` : ''}`),
        );
        for (const slot of optimizer.getSlotNames()) {
          const [, cell] = table.find(([state]) => state === slot)!;
          expect([...optimizer.getSlot(v, slot)!.data], slot).to.deep.equal(
            Array(2).fill(cell === start ? marked : Number(cell)),
          );
        }
      });

      it('says which rows a sparse gradient moves, as the index does', () => {
        const everyRow = movesEveryRow(create(Class));
        expect(page).to.include(
          everyRow ? 'A sparse gradient moves every row' : 'A sparse gradient moves only its rows',
        );
        const [, , slots, moved] = rows.find(([link]) => link!.startsWith(`[${name}]`))!;
        expect(moved).to.equal(everyRow ? 'every row' : 'its rows');
        const optimizer = create(Class, 'centered' in optionsOf(name) ? { centered: true } : {});
        optimizer.createSlots([variable([1])]);
        expect([...slots!.matchAll(/`(\w+)`/g)].map((match) => match[1])).to.have.members(optimizer.getSlotNames());
      });
    });
  }

  const optionsOf = (name: string): object => Object.fromEntries(declared.get(name)!);

  /** Values for the options without which nothing can be made. */
  const required = (name: string): object => {
    const needed = [...declared.get(name)!].filter(([option, { required }]) => required && option !== 'globalStep');
    return Object.fromEntries(needed.map(([option]) => [option, 0.5]));
  };
});
