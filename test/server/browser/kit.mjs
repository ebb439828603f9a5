// A browser for tests of examples/server/page: Debian's Chromium, which scripts/test-server/browser.mjs installs.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect } from 'chai';
import { root } from '../../../scripts/files.mjs';

/** Where playwright-core and axe-core are installed. */
export const tools = join(root, 'build/test-browser');
const require = createRequire(join(tools, 'package.json'));

/** Long, as the machine may be busy with other things; nothing is expected to take so long. */
export const patience = 30_000;

export const desktop = { width: 1280, height: 900 };
export const phone = { width: 360, height: 740 };

/** Starts a browser. */
export function launch() {
  const { chromium } = require('playwright-core');
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    // In containers there is often only root, for whom Chromium has no sandbox; the pages are our own.
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'],
  });
}

/** Starts a browser before the tests of a suite, and ends it after them. */
export function useBrowser() {
  const kit = { browser: null };
  before('starts Chromium', async () => {
    kit.browser = await launch();
  });
  after('ends Chromium', () => kit.browser?.close());
  return kit;
}

/**
 * Opens the page, with a list of all that went wrong in it: errors of the console and of scripts, and what the policy
 * (CSP) refused.
 */
export async function open({ browser }, url, options = {}) {
  const context = await browser.newContext({ viewport: desktop, ...options });
  context.setDefaultTimeout(patience);
  const page = await context.newPage();
  const problems = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(String(error)));
  await page.addInitScript(() => {
    globalThis.violations = [];
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
      globalThis.violations.push(`${violatedDirective} ${blockedURI}`),
    );
  });
  await page.goto(url);
  await page.locator('#connection[data-state="live"]').waitFor();
  const close = () => context.close();
  return { page, problems, close, violations: () => page.evaluate(() => globalThis.violations) };
}

/** Waits until an element has this text, or one that it matches. */
export async function expectText(page, selector, wanted) {
  const isThere = (text) => (wanted instanceof RegExp ? wanted.test(text) : text === wanted);
  await eventually(async () => {
    const text = (await page.locator(selector).first().textContent()) ?? '';
    expect(isThere(text), `${selector} says "${text}", expected ${wanted}`).to.equal(true);
  });
}

/** Calls a function again and again until it no longer throws. */
export async function eventually(check) {
  const end = performance.now() + patience;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** What axe finds wrong for people with disabilities, as readable lines. */
export async function axeViolations(page) {
  const source = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
  // By the debugger's protocol, which the page's policy does not concern.
  await page.evaluate(source);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  return violations.flatMap(({ id, help, nodes }) => nodes.map(({ target }) => `${id}: ${help} (${target.join(' ')})`));
}

/** How much wider what is on the page is than the page. */
export function overflow(page) {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

/** A name for the element that has the focus. */
export function focused(page) {
  return page.evaluate(() => {
    const element = document.activeElement;
    if (element === null || element === document.body) return 'nothing';
    const restore = element.dataset.restore;
    return element.id || (restore && `restore ${restore}`) || element.textContent?.trim() || element.tagName;
  });
}
