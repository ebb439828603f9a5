// The pictures of the page in docs/server, of the real server after it has trained for a while.
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../../../scripts/files.mjs';
import { launch, open, phone } from './kit.mjs';
import { startServer } from './server.mjs';

const trainSeconds = 40;
const mostBytes = 200_000;
const target = join(root, 'docs/server');
const folder = mkdtempSync(join(tmpdir(), 'gradstep-server-'));
const sleep = (seconds) => new Promise((resolve) => setTimeout(resolve, 1000 * seconds));

const server = await startServer(['--checkpoints', folder, '--checkpoint-every', '10', '--workers', '2']);
const browser = await launch();
mkdirSync(target, { recursive: true });
try {
  const size = { width: 1280, height: 880 };
  const views = [
    { name: 'desktop-dark', options: { viewport: size, colorScheme: 'dark' } },
    {
      name: 'desktop-light',
      options: { viewport: { ...size, height: 1216 }, colorScheme: 'light' },
      scrollTo: '.distribution',
    },
    {
      name: 'phone',
      options: { viewport: { ...phone, height: 780 }, colorScheme: 'light', hasTouch: true, isMobile: true },
    },
  ];
  const opened = [];
  for (const { name, options, scrollTo } of views) {
    opened.push({ name, scrollTo, ...(await open({ browser }, server.url, { reducedMotion: 'reduce', ...options })) });
  }
  await sleep(trainSeconds);
  for (const { name, scrollTo, page } of opened) {
    await page.bringToFront();
    if (scrollTo === undefined) {
      await page.locator('#log').check();
      await page.evaluate(() => document.activeElement.blur());
    } else {
      await page.locator('#example-digit').selectOption('3');
      await page.locator('#write-digit').click();
      await page.locator(scrollTo).evaluate((element) => {
        element.scrollIntoView();
        scrollBy(0, -16);
      });
    }
    await sleep(2);
    const path = join(target, `${name}.png`);
    await page.screenshot({ path });
    const { size: bytes } = statSync(path);
    console.log(`${name}.png: ${Math.round(bytes / 1000)} kB`);
    if (bytes > mostBytes) process.exitCode = 1;
  }
} finally {
  await browser.close();
  await server.end();
  rmSync(folder, { recursive: true, force: true });
}
