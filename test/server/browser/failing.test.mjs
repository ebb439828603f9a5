import { expect } from 'chai';
import { axeViolations, expectText, eventually, open, useBrowser } from './kit.mjs';
import { madeUpRun } from './made-up.mjs';
import { MockServer } from './mock.mjs';

describe('the page, when things go wrong,', () => {
  const kit = useBrowser();
  let server, url, opened, page;

  beforeEach(async () => {
    server = new MockServer();
    url = await server.start();
    opened = await open(kit, url);
    ({ page } = opened);
    await expectText(page, '#state', 'Training');
  });
  afterEach(async () => {
    await opened.close();
    await server.stop().catch(() => undefined);
  });

  const refuse = (path, status, code, message, headers) =>
    server.refusals.set(path, { status, body: { error: { code, message } }, headers });
  const isPressable = (id) => page.locator(id).evaluate((button) => button.getAttribute('aria-disabled') !== 'true');

  it('says that the connection is lost, comes back by itself, and asks for the history again', async () => {
    const run = madeUpRun();
    await server.stop();
    await expectText(page, '#lost', /^Connection lost/);
    await expectText(page, '#connection', 'Offline');
    expect(await isPressable('#next')).to.equal(false);
    expect(await axeViolations(page)).to.deep.equal([]);
    server.history.points = Array.from({ length: 40 }, () => run.next().value);
    server.status = { ...server.status, state: 'paused', step: 200 };
    await server.start();
    await expectText(page, '#connection', 'Live');
    await expectText(page, '#state', 'Paused');
    await expectText(page, '#lost', '');
    const plot = page.locator('.plot').first();
    await eventually(async () => expect(await plot.getAttribute('aria-label')).to.include('steps 5 to 200'));
    await eventually(async () => expect(await isPressable('#next')).to.equal(true));
  });

  it('comes back after an answer that is none', async () => {
    refuse('/events', 503, 'too_many_clients', 'Too many.', { 'retry-after': '1' });
    await server.stop();
    await server.start();
    await expectText(page, '#connection', 'Offline');
    // Two more tries, which end for good as the browser sees it.
    await new Promise((resolve) => setTimeout(resolve, 5000));
    server.refusals.clear();
    await expectText(page, '#connection', 'Live');
  });

  it('shows what the server refuses, until that is dismissed', async () => {
    refuse('/pause', 409, 'conflict', 'training is stopping already');
    await page.locator('#next').click();
    await expectText(page, '#errors', /Cannot pause: training is stopping already/);
    await page.locator('#next').click();
    await eventually(() => expect(server.asked).to.have.length(2));
    expect(await page.locator('.error').count()).to.equal(1);
    await page.getByRole('button', { name: 'Dismiss: Cannot pause' }).click();
    expect(await page.locator('.error').count()).to.equal(0);
  });

  it('says when to try again', async () => {
    refuse('/examples', 429, 'queue_full', 'the queue is full', { 'retry-after': '3' });
    await page.locator('#write-digit').click();
    await expectText(page, '#verdict', '2');
    await page.locator('#probabilities button').nth(2).click();
    await expectText(page, '#errors', /the queue is full; try again in 3 s/);
  });

  it('says what an answer is that is no JSON', async () => {
    refuse('/pause', 502);
    server.refusals.get('/pause').body = 'Bad gateway';
    await page.locator('#next').click();
    await expectText(page, '#errors', /the server answered 502 Bad Gateway/);
  });

  it('says why a run has failed, and can start it again', async () => {
    server.setStatus({ state: 'failed', reason: 'Worker 1 ended: out of memory' });
    await expectText(page, '#reason', 'Worker 1 ended: out of memory');
    await expectText(page, '#next', 'Start');
    await page.locator('#next').click();
    await expectText(page, '#state', 'Training');
    expect(await page.locator('#reason').isVisible()).to.equal(true);
    server.setStatus({ reason: undefined });
    await eventually(async () => expect(await page.locator('#reason').isVisible()).to.equal(false));
  });

  it('asks for the token, and again when it is the wrong one', async () => {
    server.token = 'sesame';
    await page.locator('#next').click();
    await page.locator('#token').fill('open');
    await page.keyboard.press('Enter');
    await expectText(page, '#token-problem', 'The server did not accept that token.');
    await page.locator('#token').fill('sesame');
    await page.keyboard.press('Enter');
    await expectText(page, '#state', 'Paused');
    expect(server.asked.map(({ authorization }) => authorization)).to.deep.equal([
      undefined,
      'Bearer open',
      'Bearer sesame',
    ]);
    await page.locator('#next').click();
    await expectText(page, '#state', 'Training');
    expect(await page.evaluate(() => localStorage.length), 'what stays in the browser').to.equal(0);
  });

  it('gives up on the token when asked to', async () => {
    server.token = 'sesame';
    await page.locator('#next').click();
    await page.locator('#token-dialog').waitFor();
    await page.keyboard.press('Escape');
    await expectText(page, '#errors', /Cannot pause: this needs the token/);
    expect(await page.evaluate(() => document.activeElement?.id)).to.equal('next');
  });

  it('asks before it restores, and does nothing when that is left', async () => {
    const checkpoints = [{ step: 400, bytes: 1, seconds: 0.1, savedAt: Date.now() }];
    server.setStatus({ state: 'paused', step: 1000, checkpoints });
    await page.getByRole('button', { name: 'Restore step 400' }).click();
    await expectText(page, '#confirm-detail', /600 steps/);
    await page.getByRole('button', { name: 'Cancel' }).click();
    expect(server.asked).to.deep.equal([]);
    await page.locator('#restore').click();
    await page.locator('#confirm-yes').click();
    await expectText(page, '#figure-step', '400');
    await expectText(page, '#announcement', 'Restored step 400');
    expect(server.asked.map(({ path, body }) => ({ path, body }))).to.deep.equal([
      { path: '/restore', body: { step: 400 } },
    ]);
  });

  it('does not let buttons be pressed that would be refused', async () => {
    const checkpoints = [{ step: 400, bytes: 1, seconds: 0.1, savedAt: Date.now() }];
    server.setStatus({ state: 'running', step: 500, checkpoints });
    await expectText(page, '#figure-step', '500');
    expect(await isPressable('#restore')).to.equal(false);
    expect(await isPressable('button[data-restore="400"]')).to.equal(false);
    await page.locator('button[data-restore="400"]').click({ force: true });
    expect(await page.locator('#confirm-dialog').isVisible()).to.equal(false);
    server.setStatus({ saving: true });
    await expectText(page, '#save', 'Saving…');
    expect(await isPressable('#save')).to.equal(false);
  });
});
