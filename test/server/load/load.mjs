// The training server under load: autocannon asks it, first while it does not train, then while it does. Figures are
// printed, as they are of the machine; what is asserted is that no request and no accepted example is lost.
import { ok, strictEqual } from 'node:assert';

const requests = 10_000;
const json = { 'content-type': 'application/json' };
const image = Array.from({ length: 784 }, (_, i) => (i % 28 < 14 ? 0.75 : 0));
const predict = { method: 'POST', path: '/predict', headers: json, body: JSON.stringify({ x: [image] }) };
const examples = {
  method: 'POST',
  path: '/examples',
  headers: json,
  body: JSON.stringify({ examples: [{ x: image, y: 3 }] }),
};

/** The tests, by name; each gets `start(args)`, which gives a server's process and URL, and autocannon. */
export const tests = {
  'answers 10,000 requests to predict while it trains': async ({ start, autocannon, say }) => {
    const { url } = await start([]);
    for (const [what, options] of Object.entries({
      'as fast as 10 connections ask': { connections: 10 },
      '500 a second': { connections: 10, overallRate: 500, amount: 2500 },
    })) {
      const p99 = {};
      for (const mode of ['resume', 'pause', 'resume', 'pause']) {
        await fetch(`${url}/${mode}`, { method: 'POST' }); // 409 where it is so already
        await new Promise((resolve) => setTimeout(resolve, 500));
        const run = await measured(autocannon, { url, requests: [predict], amount: requests, ...options });
        strictEqual(run.counts[200], options.amount ?? requests);
        const before = p99[mode];
        p99[mode] = before === undefined || run.p99 < before.p99 ? run : before;
      }
      const { resume, pause } = p99;
      say(
        `${what}: p99 ${show(resume)} while it trains, ${show(pause)} while not: ${(resume.p99 / pause.p99).toFixed(2)} ×`,
      );
      await fetch(`${url}/resume`, { method: 'POST' });
    }
  },

  'loses none of 10,000 requests, and none of the examples that it has accepted': async ({
    start,
    autocannon,
    say,
  }) => {
    const { url } = await start(['--no-stream', '--queue', '256']);
    const options = { url, requests: [examples, predict, examples, examples], connections: 20, amount: requests };
    const { counts } = await measured(autocannon, options);
    const { 200: predicted = 0, 202: accepted = 0, 429: refused = 0 } = counts;
    say(`${predicted} predicted, ${accepted} accepted, ${refused} refused as the queue was full`);
    strictEqual(predicted + accepted + refused, requests);
    let status = {};
    for (
      let waited = 0;
      waited < 10_000 && !(status.examplesSeen === accepted && status.queue.length === 0);
      waited += 50
    ) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      status = await (await fetch(`${url}/status`)).json();
    }
    strictEqual(status.examplesSeen, accepted);
    strictEqual(status.queue.length, 0);
  },

  'has lost nothing that came before its last checkpoint, whenever it is killed': async ({
    start,
    autocannon,
    say,
  }) => {
    const kills = 8;
    let saved = 0; // examples that a checkpoint has, trained on or waiting
    for (let kill = 0; kill <= kills; kill++) {
      const { url, child } = await start(['--no-stream', '--queue', '20000', '--checkpoint-every', '0.2']);
      const { examplesSeen, queue } = await (await fetch(`${url}/status`)).json();
      ok(examplesSeen + queue.length >= saved, `${examplesSeen} and ${queue.length} of ${saved}`);
      if (kill === kills) break;
      const flood = { url, requests: [examples], connections: 5 };
      const { counts } = await measured(autocannon, { ...flood, amount: 100 });
      strictEqual(counts[202], 100);
      saved = examplesSeen + queue.length + 100;
      strictEqual((await fetch(`${url}/checkpoint`, { method: 'POST' })).status, 200);
      const later = autocannon({ ...flood, duration: 30 });
      await new Promise((resolve) => setTimeout(resolve, 50 * kill));
      child.kill('SIGKILL');
      later.stop();
      await new Promise((resolve) => later.on('done', resolve));
    }
    say(`killed ${kills} times, while it saved every 0.2 s`);
  },
};

/** How many answers there were of each status, and how long they took. */
async function measured(autocannon, options) {
  const counts = {};
  const times = [];
  await new Promise((resolve, reject) => {
    const run = autocannon(options, (error, result) => {
      if (error) reject(error);
      else if (result.errors > 0 || result.timeouts > 0) reject(new Error(`${result.errors} errors of connections`));
      else resolve();
    });
    run.on('response', (_client, status, _bytes, time) => {
      counts[status] = (counts[status] ?? 0) + 1;
      times.push(time);
    });
  });
  times.sort((a, b) => a - b);
  const at = (q) => times[Math.min(times.length - 1, Math.floor(q * times.length))];
  return { counts, p50: at(0.5), p99: at(0.99) };
}

const show = ({ p50, p99 }) => `${p99.toFixed(2)} ms (half of them within ${p50.toFixed(2)})`;
