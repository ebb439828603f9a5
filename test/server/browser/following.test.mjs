import { expect } from 'chai';
import { expectText, eventually, open, useBrowser } from './kit.mjs';
import { histograms, madeUpRun } from './made-up.mjs';
import { MockServer, statusOf, variables } from './mock.mjs';

describe('the page of the training server', () => {
  const kit = useBrowser();
  let server, url, opened, page;

  beforeEach(async () => {
    server = new MockServer();
    url = await server.start();
    opened = await open(kit, url);
    ({ page } = opened);
  });
  afterEach(async () => {
    await opened.close();
    await server.stop();
  });

  const pointsOf = (length) => {
    const run = madeUpRun();
    return Array.from({ length }, () => run.next().value);
  };
  const label = (title) =>
    page.locator('figure', { hasText: title }).first().locator('.plot').getAttribute('aria-label');

  it('loads without errors, warnings or anything that its policy refuses', async () => {
    await expectText(page, '#state', 'Training');
    await expectText(page, '#model-name', 'MNIST 784-256-10');
    server.emit('histograms', histograms(10, variables));
    server.emit('progress', { points: pointsOf(5) });
    await expectText(page, '#distribution-caption', /10/);
    expect(opened.problems).to.deep.equal([]);
    expect(await opened.violations()).to.deep.equal([]);
  });

  it('shows the numbers of the status', async () => {
    const queue = { length: 1024, capacity: 4096 };
    const workers = [
      { rank: 0, state: 'running', examplesPerSecond: 30_000 },
      { rank: 1, state: 'waiting', examplesPerSecond: 15_000 },
    ];
    const eventLoopDelay = { p50: 0.25, p99: 3.5 };
    server.setStatus({ step: 12_345, examplesSeen: 790_080, queue, workers, eventLoopDelay, uptimeSeconds: 3720 });
    await expectText(page, '#figure-step', '12,345');
    await expectText(page, '#figure-examples', '790K examples');
    await expectText(page, '#figure-queue', '25 %');
    await expectText(page, '#figure-delay', '3.50 ms');
    await expectText(page, '#figure-speed', '45K');
    await expectText(page, '#uptime', 'up 1 h 2 min');
    await expectText(page, '#workers tr:nth-child(2)', /waiting.*15K/);
    expect(await page.locator('#queue-meter').evaluate(({ value, max }) => value / max)).to.equal(0.25);
  });

  it('follows the points of the run in its charts', async () => {
    const points = pointsOf(50);
    server.emit('progress', { points: points.slice(0, 20) });
    server.setStatus({ step: 100 });
    await eventually(async () => expect(await label('Gradient norm')).to.include('steps 5 to 100'));
    const before = await page
      .locator('figure canvas')
      .first()
      .evaluate((canvas) => canvas.toDataURL());
    server.emit('progress', { points: points.slice(20) });
    await eventually(async () => expect(await label('Gradient norm')).to.include('steps 5 to 250'));
    expect(await label('Gradient norm')).to.include('clipped above: now 1.500');
    const after = await page
      .locator('figure canvas')
      .first()
      .evaluate((canvas) => canvas.toDataURL());
    expect(after).not.to.equal(before);
    await expectText(page, 'figure:has-text("Learning rate") .value', /^\d\.\de-4$|^0\.00\d\d$/);
  });

  it('draws them by factors where that is wanted, and what has no logarithm not at all', async () => {
    const points = pointsOf(50);
    points[49].loss = 0;
    server.emit('progress', { points });
    await eventually(async () => expect(await label('Loss')).to.include('steps 5 to 250'));
    const picture = () =>
      page
        .locator('figure canvas')
        .first()
        .evaluate((canvas) => canvas.toDataURL());
    const linear = await picture();
    await page.locator('#log').check();
    await eventually(async () => expect(await picture()).not.to.equal(linear));
    await page.locator('#log').uncheck();
    await eventually(async () => expect(await picture()).to.equal(linear));
    expect(opened.problems).to.deep.equal([]);
  });

  it('shows accuracy when it comes', async () => {
    server.emit('accuracy', { step: 600, accuracy: 0.9712 });
    server.setStatus({ step: 640 });
    await expectText(page, '#figure-accuracy', '97.12 %');
    await expectText(page, '#figure-accuracy-step', 'at step 600');
    await eventually(async () => expect(await label('Accuracy')).to.include('97.12 %'));
  });

  it('starts with the history', async () => {
    await opened.close();
    server.history = { points: pointsOf(300), accuracies: [{ step: 900, accuracy: 0.95 }] };
    opened = await open(kit, url);
    ({ page } = opened);
    await eventually(async () => expect(await label('Loss')).to.include('steps 5 to 1,500'));
    await expectText(page, '#figure-accuracy', '95.00 %');
  });

  it('drops what came after the step that a run goes back to', async () => {
    const points = pointsOf(100);
    server.emit('progress', { points });
    await eventually(async () => expect(await label('Loss')).to.include('steps 5 to 500'));
    server.emit('progress', { points: [points[40]] });
    await eventually(async () => expect(await label('Loss')).to.include('steps 5 to 205'));
  });

  it('keeps no more points than it can show, however many come', async () => {
    const run = madeUpRun();
    for (let i = 0; i < 60; i++) {
      server.emit('progress', { points: Array.from({ length: 500 }, () => run.next().value) });
    }
    await eventually(async () => expect(await label('Loss')).to.include('steps 5 to 150,000'));
    expect(opened.problems).to.deep.equal([]);
  });

  it('takes numbers that are none', async () => {
    const [point] = pointsOf(1);
    server.emit('progress', { points: [{ ...point, loss: null, gradientNorm: null, clipNorm: null }] });
    server.setStatus({ workers: [{ rank: 0, state: 'starting', examplesPerSecond: null }], step: 5 });
    await expectText(page, '#workers tr:nth-child(1)', /starting.*–/);
    await expectText(page, '#figure-norm', 'gradient –');
    expect(opened.problems).to.deep.equal([]);
  });

  it('shows how weights and gradients are spread, now and before', async () => {
    for (const step of [100, 200, 300]) server.emit('histograms', histograms(step, variables));
    await expectText(page, '#distribution-caption', 'Step 300, the newest');
    await page.locator('#distribution-step').focus();
    await page.keyboard.press('ArrowLeft');
    await expectText(page, '#distribution-caption', 'Step 200');
    server.emit('histograms', histograms(400, variables));
    await expectText(page, '#distribution-caption', 'Step 200');
    await page.locator('#distribution-gradients').check();
    await page.locator('#distribution-variable').selectOption('dense_2/bias');
    const map = page.locator('#distribution-map');
    await eventually(async () =>
      expect(await map.getAttribute('aria-label')).to.match(/^Gradients of dense_2\/bias over steps 100 to 400/),
    );
  });

  it('lists checkpoints, and keeps the focus where it is when there is another', async () => {
    const of = (step) => ({ step, bytes: 2_442_512, seconds: step === 100 ? null : 0.042, savedAt: Date.now() });
    server.setStatus({ state: 'paused', checkpoints: [of(200), of(100)] });
    await expectText(page, '#checkpoints tr:nth-child(1)', /^2002\.4 MB42 ms.*Restore$/);
    await expectText(page, '#checkpoints tr:nth-child(2)', /^1002\.4 MB–.*Restore$/);
    await page.locator('button[data-restore="100"]').focus();
    server.setStatus({ checkpoints: [of(300), of(200), of(100)] });
    await expectText(page, '#checkpoints tr:nth-child(1) th', '300');
    expect(await page.evaluate(() => document.activeElement?.dataset.restore)).to.equal('100');
  });

  it('says changes of state aloud, and no numbers', async () => {
    server.setStatus({ state: 'paused', step: 77 });
    await expectText(page, '#announcement', 'Paused at step 77');
    server.setStatus({ step: 78 });
    await expectText(page, '#figure-step', '78');
    expect(await page.locator('#announcement').textContent()).to.equal('Paused at step 77');
    const live = page.locator('[aria-live], [role="status"], [role="alert"], [role="log"], output');
    const texts = await live.evaluateAll((all) => all.map(({ id, textContent }) => `${id}: ${textContent.trim()}`));
    expect(texts.filter((text) => /\d/.test(text))).to.deep.equal(['announcement: Paused at step 77']);
  });

  it('shows names as they are, not as HTML', async () => {
    server.setStatus({ state: 'failed', reason: '<img src=x onerror=alert(1)>' });
    await expectText(page, '#reason', '<img src=x onerror=alert(1)>');
    await expectText(page, '#state', 'Failed');
  });

  it('asks the model what is drawn, and teaches it', async () => {
    server.status = statusOf({ step: 42 });
    const sheet = await page.locator('#sheet').boundingBox();
    await page.locator('#sheet').scrollIntoViewIfNeeded();
    const box = (await page.locator('#sheet').boundingBox()) ?? sheet;
    await page.mouse.move(box.x + 90, box.y + 90);
    await page.mouse.down();
    await page.mouse.move(box.x + 190, box.y + 90, { steps: 5 });
    await page.mouse.move(box.x + 100, box.y + 200, { steps: 5 });
    await page.mouse.up();
    await expectText(page, '#verdict', '2');
    await expectText(page, '#asked-at', 'The weights of step 42 say so.');
    const { body } = server.asked.find(({ path }) => path === '/predict');
    expect(body.x).to.have.length(1);
    expect(body.x[0]).to.have.length(784);
    expect(Math.max(...body.x[0])).to.be.within(0.5, 1);
    await page.locator('#probabilities button').nth(7).click();
    await eventually(() => expect(server.asked.map(({ path }) => path)).to.include('/examples'));
    const [example] = server.asked.find(({ path }) => path === '/examples').body.examples;
    expect(example.y).to.equal(7);
    await page.locator('#clear-sheet').click();
    await expectText(page, '#verdict', '?');
  });
});
