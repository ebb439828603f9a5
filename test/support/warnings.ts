/** Has the warnings of this process in a list instead of on the screen while tests of a suite run. */
export function collectWarnings(): string[] {
  const warnings: string[] = [];
  const emitWarning = process.emitWarning.bind(process);
  before(() => (process.emitWarning = (warning: string | Error) => void warnings.push(String(warning))));
  beforeEach(() => void warnings.splice(0));
  after(() => (process.emitWarning = emitWarning));
  return warnings;
}
