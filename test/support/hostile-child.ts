import { expect } from 'chai';
import { runScript } from './child';

/** How a call ended, as `attempt` reports it. */
export interface Outcome {
  /** The class of what was thrown, or null. */
  readonly error: string | null;
  readonly message: string;
}

/** What every script of `inChild` starts with. */
export const prelude = `
  'use strict';
  require('node:v8').setFlagsFromString('--expose-gc');
  const gc = require('node:vm').runInNewContext('gc');
  const g = require('gradstep');
  /** Takes an array's memory away and frees it. */
  const free = (array) => { structuredClone(array.buffer, { transfer: [array.buffer] }); gc(); gc(); };
  const attempt = (f) => {
    try { f(); return { error: null, message: '' }; } catch (e) { return { error: e.constructor.name, message: String(e.message) }; }
  };
  const all = (array, value) => { for (let i = 0; i < array.length; i++) if (array[i] !== value) return false; return true; };
  const report = (result) => console.log(JSON.stringify(result));
`;

/**
 * Runs a script that may end its process: it finds the library as `g`, and `gc`, `free`, `attempt`, `all` and
 * `report`, by which it gives its result.
 */
export function inChild<T>(script: string, env: Record<string, string> = {}): T {
  const { status, signal, stdout, stderr } = runScript(prelude + script, env);
  expect({ status, signal }, `${stdout}\n${stderr}`).to.deep.equal({ status: 0, signal: null });
  return JSON.parse(stdout) as T;
}

/** Expects one of the library's own errors, not one of the engine's about what the library did. */
export function expectRefused({ error, message }: Outcome, classes = ['Error', 'TypeError', 'RangeError']): void {
  expect(error, message || 'nothing was thrown').to.be.oneOf(classes);
  expect(message).to.not.equal('');
  expect(message).to.not.match(/Cannot read|Cannot perform|Cannot destructure|is not a function|is not iterable/);
}
