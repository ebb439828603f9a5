import { expect } from 'chai';
import { axeViolations, desktop, expectText, eventually, focused, open, overflow, phone, useBrowser } from './kit.mjs';
import { histograms, madeUpRun } from './made-up.mjs';
import { MockServer, statusOf, variables } from './mock.mjs';

describe('the page, for everybody,', () => {
  const kit = useBrowser();
  let server, url;
  const opened = [];

  before(async () => {
    server = new MockServer();
    const run = madeUpRun();
    server.history.points = Array.from({ length: 200 }, () => run.next().value);
    server.history.accuracies = [300, 600, 900].map((step) => ({ step, accuracy: 0.98 - 20 / step }));
    const checkpoints = [1_000_000, 900, 600].map((step) => ({ step, bytes: 2.4e6, seconds: 0.04, savedAt: 1e12 }));
    server.status = statusOf({ state: 'paused', step: 12_345_678, examplesSeen: 790_123_456, checkpoints });
    url = await server.start();
  });
  after(() => server.stop());
  afterEach(async () => {
    for (const { close } of opened.splice(0)) await close();
  });

  /** The page with all that there is to be seen. */
  const openFull = async (options) => {
    const one = await open(kit, url, options);
    opened.push(one);
    for (const step of [500, 1000]) server.emit('histograms', histograms(step, variables));
    await one.page.locator('#write-digit').click();
    await expectText(one.page, '#verdict', '2');
    await expectText(one.page, '#distribution-caption', /1,000/);
    await expectText(one.page, '#state', 'Paused');
    return one.page;
  };

  for (const viewport of [phone, { width: 320, height: 640 }, { width: 768, height: 1024 }, desktop]) {
    it(`has no horizontal scroll at ${viewport.width} px`, async () => {
      const page = await openFull({ viewport });
      expect(await overflow(page)).to.equal(0);
    });
  }

  it('has nothing on a phone that fingers cannot hit', async () => {
    const page = await openFull({ viewport: phone, hasTouch: true, isMobile: true });
    const small = await page.evaluate(() =>
      [...document.querySelectorAll('button, a, select, input')].flatMap((element) => {
        // A box with a label is as large as the label.
        const { width, height } = (element.closest('.check') ?? element).getBoundingClientRect();
        const isShown = element.checkVisibility() && !element.matches('.skip, dialog *');
        return isShown && (width < 43.5 || height < 43.5) ? [`${element.outerHTML} ${width} x ${height}`] : [];
      }),
    );
    expect(small).to.deep.equal([]);
  });

  for (const colorScheme of ['light', 'dark']) {
    for (const [name, viewport] of Object.entries({ desktop, phone })) {
      it(`has nothing that axe finds wrong, ${colorScheme}, on a ${name}`, async () => {
        const page = await openFull({ viewport, colorScheme, reducedMotion: 'reduce' });
        expect(await axeViolations(page)).to.deep.equal([]);
      });
    }

    it(`has nothing that axe finds wrong in messages, ${colorScheme}`, async () => {
      const page = await openFull({ colorScheme, reducedMotion: 'reduce' });
      server.refusals.set('/checkpoint', { status: 409, body: { error: { code: 'conflict', message: 'Not now.' } } });
      await page.locator('#save').click();
      await expectText(page, '#errors', /Not now/);
      server.refusals.clear();
      await page.locator('#restore').click();
      expect(await axeViolations(page)).to.deep.equal([]);
    });
  }

  it('follows the system between dark and light, until somebody chooses', async () => {
    const page = await openFull({ colorScheme: 'light' });
    const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    const chart = () =>
      page
        .locator('figure canvas')
        .first()
        .evaluate((canvas) => canvas.toDataURL());
    const [light, lightChart] = [await ground(), await chart()];
    await page.emulateMedia({ colorScheme: 'dark' });
    const dark = await ground();
    expect(dark).not.to.equal(light);
    await eventually(async () => expect(await chart()).not.to.equal(lightChart));
    const button = page.getByRole('button', { name: 'Dark' });
    expect(await button.getAttribute('aria-pressed')).to.equal('true');
    await button.click();
    expect(await ground()).to.equal(light);
    await page.reload();
    await page.locator('#connection[data-state="live"]').waitFor();
    expect(await ground(), 'after a reload').to.equal(light);
    expect(await button.getAttribute('aria-pressed')).to.equal('false');
  });

  it('moves nothing for those who do not want it', async () => {
    const page = await openFull({ reducedMotion: 'reduce' });
    server.setStatus({ state: 'running' });
    await expectText(page, '#state', 'Training');
    const running = await page.evaluate(() => document.getAnimations().length);
    server.setStatus({ state: 'paused' });
    expect(running).to.equal(0);
  });

  it('can be reached and used by keyboard, in the order of what is seen', async () => {
    const page = await openFull();
    await page.keyboard.press('Tab'); // from here on it is the keyboard that moves the focus
    await page.locator('.skip').focus();
    const order = [];
    for (let i = 0; i < 60; i++) {
      const name = await focused(page);
      if (name === 'nothing') break;
      const outline = await page.evaluate(() => {
        const element = document.activeElement;
        const shown = element.matches('.choice input') ? element.nextElementSibling : element;
        return getComputedStyle(shown).outlineStyle;
      });
      expect(outline, `focus on ${name} is seen`).not.to.equal('none');
      order.push(name);
      await page.keyboard.press('Tab');
    }
    const digits = Array.from({ length: 10 }, (_, digit) => new RegExp(`^${digit}`));
    const expected = [
      /^Skip/,
      /^theme$/,
      /^next$/,
      /^save$/,
      /^restore$/,
      /^log$/,
      /^INPUT$/,
      /^distribution-weights$/,
      /^distribution-variable$/,
      /^distribution-step$/,
      /^restore 1000000$/,
      /^restore 900$/,
      /^restore 600$/,
      /^clear-sheet$/,
      /^write-digit$/,
      /^example-digit$/,
      ...digits,
      /^Metrics/,
      /^Status/,
      /^History/,
    ];
    expect(order).to.have.length(expected.length);
    order.forEach((name, i) => expect(name).to.match(expected[i]));
  });

  it('lets Enter and Space do what a finger does', async () => {
    const page = await openFull();
    await page.locator('#next').focus();
    await page.keyboard.press('Enter');
    await expectText(page, '#state', 'Training');
    await expectText(page, '#next', 'Pause');
    expect(await focused(page)).to.equal('next');
    await eventually(async () => expect(await page.locator('#next').getAttribute('aria-disabled')).to.equal('false'));
    await page.keyboard.press('Space');
    await expectText(page, '#state', 'Paused');
    await page.locator('#distribution-weights').focus();
    await page.keyboard.press('ArrowRight');
    expect(await page.locator('#distribution-gradients').isChecked()).to.equal(true);
  });

  it('has landmarks, one heading of the first level, and words for every picture', async () => {
    const page = await openFull();
    expect(await page.locator('h1').count()).to.equal(1);
    for (const landmark of ['main', 'header', 'footer']) expect(await page.locator(landmark).count()).to.equal(1);
    const pictures = page.locator('[role="img"]');
    for (let i = 0; i < (await pictures.count()); i++) {
      expect(await pictures.nth(i).getAttribute('aria-label')).to.match(/\w{3}/);
    }
  });
});
