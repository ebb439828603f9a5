import { expect } from 'chai';
import { runtime, type Isa } from 'gradstep';
import { runScript } from './support/child';

describe('runtime', () => {
  const { isa, threads } = runtime;
  afterEach(() => {
    runtime.useIsa(isa);
    runtime.threads = threads;
  });

  it('starts with the best instruction set of the machine, and always has scalar', () => {
    const { stdout } = runScript("console.log(require('gradstep').runtime.isa)", { GRADSTEP_ISA: '' });
    expect(stdout.trim()).to.equal(runtime.availableIsas[0]);
    expect(runtime.availableIsas).to.include('scalar');
  });

  it('switches to any available instruction set, and refuses others without switching', () => {
    for (const name of runtime.availableIsas) {
      runtime.useIsa(name);
      expect(runtime.isa).to.equal(name);
    }
    const last = runtime.isa;
    expect(() => runtime.useIsa('mmx' as Isa)).to.throw(
      RangeError,
      `isa must be one of ${runtime.availableIsas.join(', ')} on this machine, got "mmx"`,
    );
    expect(() => runtime.useIsa(5 as unknown as Isa)).to.throw(TypeError, 'isa must be a string, got 5');
    expect(runtime.isa).to.equal(last);
  });

  it('takes 1 to 256 threads', () => {
    for (const n of [1, 2, 256]) {
      runtime.threads = n;
      expect(runtime.threads).to.equal(n);
    }
    for (const n of [0, -1, 1.5, 257, NaN, Infinity])
      expect(() => (runtime.threads = n)).to.throw(RangeError, 'threads');
    expect(() => (runtime.threads = '2' as unknown as number)).to.throw(TypeError, 'threads must be a number, got "2"');
  });

  it('knows its version', () => {
    expect(runtime.version).to.match(/^\d+\.\d+\.\d+/);
  });

  const report = "const { runtime } = require('gradstep'); console.log(runtime.isa, runtime.threads)";

  it('obeys GRADSTEP_ISA and GRADSTEP_THREADS', () => {
    expect(runScript(report, { GRADSTEP_ISA: 'scalar', GRADSTEP_THREADS: '3' }).stdout.trim()).to.equal('scalar 3');
  });

  it('names what there is when GRADSTEP_ISA or GRADSTEP_THREADS make no sense', () => {
    const { stderr, status } = runScript(report, { GRADSTEP_ISA: 'mmx' });
    expect(status).to.equal(1);
    expect(stderr).to.include(`GRADSTEP_ISA is 'mmx', but this machine has: ${runtime.availableIsas.join(', ')}`);
    for (const threads of ['0', 'x', '1.5', '257']) {
      expect(runScript(report, { GRADSTEP_THREADS: threads }).stderr).to.include(
        `GRADSTEP_THREADS must be an integer from 1 to 256, got '${threads}'`,
      );
    }
  });

  it('loads by import and by require as one library', () => {
    const script = `
      import('gradstep').then((esm) => {
        const cjs = require('gradstep');
        if (Object.keys(cjs).some((name) => cjs[name] !== esm[name])) process.exit(1);
        console.log(Object.keys(cjs).length > 20);
      });`;
    expect(runScript(script).stdout.trim()).to.equal('true');
  });
});
