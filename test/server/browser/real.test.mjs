import { expect } from 'chai';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expectText, eventually, open, useBrowser } from './kit.mjs';
import { startServer } from './server.mjs';

describe('the page and its server', () => {
  const kit = useBrowser();
  const folder = mkdtempSync(join(tmpdir(), 'gradstep-server-'));
  let server, opened, page;

  before('starts the server', async () => {
    server = await startServer(['--checkpoints', folder, '--no-start']);
    opened = await open(kit, server.url);
    ({ page } = opened);
  });
  after(async () => {
    await opened?.close();
    await server?.end();
    rmSync(folder, { recursive: true, force: true });
  });

  const step = async () => Number((await page.locator('#figure-step').textContent()).replaceAll(',', ''));
  const press = async (id) => {
    await eventually(async () => expect(await page.locator(id).getAttribute('aria-disabled')).to.equal('false'));
    await page.locator(id).click();
  };
  const label = (title) =>
    page.locator('figure', { hasText: title }).first().locator('.plot').getAttribute('aria-label');
  let savedStep;

  it('start, and show how it goes', async () => {
    await expectText(page, '#state', 'Idle');
    await expectText(page, '#next', 'Start');
    await press('#next');
    await expectText(page, '#state', 'Training');
    await eventually(async () => expect(await step()).to.be.greaterThan(50));
    for (const title of ['Loss', 'Gradient norm', 'Learning rate', 'Throughput', 'Event loop delay']) {
      await eventually(async () => expect(await label(title)).to.match(/now [\d.]/));
    }
    await expectText(page, '#distribution-caption', /^Step \d/);
    await expectText(page, '#figure-accuracy', /^\d\d\.\d\d %$/);
    await expectText(page, '#workers tr', /^0(running|waiting)/);
  });

  it('answer what a drawing is while training goes on', async () => {
    await page.locator('#example-digit').selectOption('7');
    await page.locator('#write-digit').click();
    await expectText(page, '#asked-at', /^The weights of step [\d,]+ say so\.$/);
    const said = await page.locator('#asked-at').textContent();
    await eventually(async () => expect(await page.locator('#asked-at').textContent()).not.to.equal(said));
    const sum = await page
      .locator('#probabilities .number')
      .evaluateAll((all) => all.reduce((total, { textContent }) => total + Number.parseFloat(textContent), 0));
    expect(sum).to.be.closeTo(100, 1);
  });

  it('take the drawing as an example', async () => {
    await page.locator('#probabilities button').nth(7).click();
    await expectText(page, '#announcement', 'Sent as an example of a 7');
  });

  it('pause', async () => {
    await press('#next');
    await expectText(page, '#state', 'Paused');
    await expectText(page, '#next', 'Resume');
  });

  it('save a checkpoint', async () => {
    await press('#save');
    savedStep = await page.locator('#figure-step').textContent();
    await expectText(page, '#checkpoints tr:first-child th', savedStep);
  });

  it('resume, and go back to the checkpoint', async () => {
    const before = await step();
    await press('#next');
    await expectText(page, '#state', 'Training');
    await eventually(async () => expect(await step()).to.be.greaterThan(before));
    await press('#next');
    await expectText(page, '#state', 'Paused');
    await eventually(async () => {
      const button = page.getByRole('button', { name: `Restore step ${savedStep}`, exact: true });
      expect(await button.getAttribute('aria-disabled')).to.equal('false');
    });
    await page.getByRole('button', { name: `Restore step ${savedStep}`, exact: true }).click();
    await page.locator('#confirm-yes').click();
    await expectText(page, '#figure-step', savedStep);
    await expectText(page, '#announcement', `Restored step ${savedStep}`);
  });

  it('meet again after the server was killed, and go on from there', async () => {
    await server.kill();
    await expectText(page, '#lost', /^Connection lost/);
    server = await startServer(['--checkpoints', folder, '--no-start', '--port', server.port]);
    await expectText(page, '#connection', 'Live');
    await expectText(page, '#figure-step', savedStep);
    await press('#next');
    await expectText(page, '#state', 'Training');
    const saved = Number(savedStep.replaceAll(',', ''));
    await eventually(async () => expect(await step()).to.be.greaterThan(saved));
  });

  it('had no errors but those of the lost connection, and nothing that the policy refused', async () => {
    const others = opened.problems.filter(
      (text) => !/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_EMPTY|RESET/.test(text),
    );
    expect(others).to.deep.equal([]);
    expect(await opened.violations()).to.deep.equal([]);
  });
});

describe('the page and a server with a token', () => {
  const kit = useBrowser();
  const folder = mkdtempSync(join(tmpdir(), 'gradstep-server-'));
  let server, opened;

  before(async () => {
    server = await startServer(['--checkpoints', folder, '--no-start', '--token', 'sesame']);
    opened = await open(kit, server.url);
  });
  after(async () => {
    await opened?.close();
    await server?.end();
    rmSync(folder, { recursive: true, force: true });
  });

  it('ask for it where something is changed, and only there', async () => {
    const { page } = opened;
    await expectText(page, '#state', 'Idle');
    await page.locator('#write-digit').click();
    await expectText(page, '#verdict', /^\d$/);
    await page.locator('#next').click();
    await page.locator('#token').fill('sesame');
    await page.keyboard.press('Enter');
    await expectText(page, '#state', 'Training');
  });
});
