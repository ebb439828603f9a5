import { expect } from 'chai';
import { readdirSync } from 'node:fs';
import { digit, examples, open, settingsIn, until, withFolder, type Json, type Server } from './support';

describe('the training server, while it trains', () => {
  const folder = withFolder();
  let server: Server;
  afterEach(() => server.close());

  const start = async (given: Parameters<typeof settingsIn>[1] = {}): Promise<void> => {
    server = await open(settingsIn(folder(), given));
  };
  const post = async (url: string, body?: unknown): Promise<[number, unknown]> => {
    const { status, json } = await server.ask('POST', url, body);
    return [status, json.state ?? json.error?.code];
  };
  const trained = (count: number): Promise<void> =>
    until(() => server.service.trainer.examplesSeen === count, `${count} examples`);

  it('trains on each example that it has accepted, once', async () => {
    await start({ start: true });
    let sent = 0;
    for (const count of [1, 15, 16, 17, 40, 3]) {
      await until(() => server.service.queue.room >= count, 'room');
      expect((await server.ask('POST', '/examples', examples(count))).json).to.deep.include({ accepted: count });
      sent += count;
    }
    await trained(sent);
    await until(() => server.service.queue.length === 0, 'places that are free again, as the next step begins');
    const { json } = await server.ask('GET', '/status');
    expect(json.queue).to.deep.equal({ length: 0, capacity: 64 });
    expect(json.step).to.be.within(Math.ceil(sent / 16), sent);
    const counted = [`gradstep_examples_total ${sent}`, `gradstep_steps_total ${String(json.step)}`];
    await until(async () => {
      const lines = (await server.ask('GET', '/metrics')).text.split('\n');
      return counted.every((line) => lines.includes(line));
    }, counted.join());
    await until(() => server.service.status.workers.every(({ state }) => state === 'waiting'), 'workers that wait');
  });

  it('does so whoever of its workers dies', async () => {
    await start({ start: true, queue: 512 });
    const { trainer, queue } = server.service;
    let sent = 0;
    for (let round = 0; round < 12; round++) {
      for (let i = 0; i < 10; i++, sent += 7) {
        expect((await server.ask('POST', '/examples', examples(7))).status).to.equal(202);
      }
      if (round % 4 === 3) await trainer.training!.workers[round % 3 === 0 ? 0 : 1]!.terminate();
      await until(() => queue.length < 400, 'room');
    }
    await trained(sent);
    expect(server.service.state).to.equal('running');
  });

  it('says 429 where there is no room for all, and takes none of these', async () => {
    await start();
    expect((await server.ask('POST', '/examples', examples(60))).json).to.deep.equal({ accepted: 60, queued: 60 });
    const full = await server.ask('POST', '/examples', examples(5));
    expect([full.status, full.json.error?.code, full.headers['retry-after']]).to.deep.equal([429, 'queue_full', '1']);
    expect((await server.ask('POST', '/examples', examples(4))).json).to.deep.equal({ accepted: 4, queued: 64 });
    expect(await post('/start')).to.deep.equal([200, 'running']);
    await trained(64);
    expect((await server.ask('POST', '/examples', examples(5))).status).to.equal(202);
  });

  it('learns from the stream, and says what it has learnt', async () => {
    await start({ stream: true, start: true, learningRate: 0.01 });
    const { service } = server;
    await until(() => service.trainer.step >= 200, '200 steps');
    let json: Json = {};
    await until(async () => {
      ({ json } = await server.ask('POST', '/predict', { x: [digit(3), digit(8)] }));
      return (json.step as number) >= 200;
    }, 'an answer of the weights after 200 steps');
    expect((json.predictions as { label: number }[]).map(({ label }) => label)).to.deep.equal([3, 8]);
    expect((await service.evaluator.evaluate())!.accuracy).to.be.above(0.9);
    await until(() => service.history.points.length >= 2, 'points');
    const points = service.history.points;
    expect(points.at(-1)!.loss).to.be.below(points[0]!.loss);
    for (const { gradientNorm, clipNorm, learningRate, examplesPerSecond } of points) {
      expect([clipNorm, learningRate <= 0.01, gradientNorm > 0, examplesPerSecond > 0]).to.deep.equal([
        1,
        true,
        true,
        true,
      ]);
    }
  });

  it('is as far as its checkpoint says when it is restored, and trains the stream from there', async () => {
    await start({ stream: true, start: true });
    await until(() => server.service.trainer.step >= 20, '20 steps');
    const { json } = await server.ask('POST', '/checkpoint');
    const { step, bytes } = json.checkpoint as { step: number; bytes: number };
    expect(bytes).to.be.above(12 * 203_530);
    await until(() => server.service.trainer.step >= step + 20, '20 more');
    expect(await post('/restore', { step })).to.deep.equal([409, 'conflict']);
    expect(await post('/pause')).to.deep.equal([200, 'paused']);
    await server.ask('POST', '/checkpoint');
    expect((await server.ask('POST', '/restore', { step })).json).to.deep.equal({ state: 'paused', step });
    expect(server.service.trainer.examplesSeen).to.equal(16 * step);
    expect((await server.ask('POST', '/predict', { x: [digit(1)] })).json.step).to.equal(step);
    expect(server.service.checkpoints.list.map((saved) => saved.step)).to.deep.equal([step, 0]);
    expect(readdirSync(server.settings.checkpoints).some((name) => name.startsWith('undone-'))).to.equal(true);
    expect(await post('/resume')).to.deep.equal([200, 'running']);
    await until(() => server.service.trainer.step >= step + 20, 'the same again');
    expect(server.service.trainer.examplesSeen % 16).to.equal(0);
  });

  it('says what the state of the training forbids', async () => {
    await start();
    for (const url of ['/pause', '/resume']) expect(await post(url)).to.deep.equal([409, 'conflict']);
    expect(await post('/start')).to.deep.equal([200, 'running']);
    for (const url of ['/start', '/resume', '/restore']) expect(await post(url)).to.deep.equal([409, 'conflict']);
    expect(await post('/pause', {})).to.deep.equal([200, 'paused']);
    for (const url of ['/start', '/pause']) expect(await post(url)).to.deep.equal([409, 'conflict']);
    const both = await Promise.all([post('/resume'), post('/pause'), post('/resume'), post('/start')]);
    expect(both.map(([status]) => status)).to.deep.equal([200, 200, 200, 409]);
  });

  it('goes on when a worker dies', async () => {
    await start({ stream: true, start: true });
    const { trainer } = server.service;
    await until(() => trainer.step >= 5, 'steps');
    await trainer.training!.workers[1]!.terminate();
    const { step } = trainer;
    await until(() => trainer.step > step + 5, 'steps after it');
    expect(server.service.status.state).to.equal('running');
  });

  it('has failed when workers cannot go on, still predicts, and starts again from its checkpoint', async () => {
    await start({ start: true });
    const { service } = server;
    await server.ask('POST', '/examples', examples(20));
    await trained(20);
    const saved = (await server.ask('POST', '/checkpoint')).json.checkpoint as { step: number };
    await server.ask('POST', '/examples', examples(20));
    await trained(40);
    // A weight that is not finite, as a bug might leave it: no step is made of it.
    service.run.variables[0]!.data[0] = NaN;
    await server.ask('POST', '/examples', examples(10));
    await until(() => service.state === 'failed', 'the failure');
    const { json } = await server.ask('GET', '/status');
    expect(json.reason).to.match(/the norm of the gradients of step \d+ is NaN/);
    expect((await server.ask('POST', '/predict', { x: [digit(1)] })).status).to.equal(200);
    expect(await post('/resume')).to.deep.equal([409, 'conflict']);
    expect(await post('/start')).to.deep.equal([200, 'running']);
    expect(service.status).to.not.have.property('reason');
    expect(service.trainer.step).to.be.at.least(saved.step);
    await trained(30); // the 20 of the checkpoint, and the 10 that nobody could train on
  });

  it('goes on where it ended, with the examples that waited', async () => {
    await start();
    const { settings } = server;
    await server.ask('POST', '/examples', examples(30));
    await server.close();
    const refused = await server.ask('POST', '/examples', examples(1)).catch(() => null);
    expect(refused?.status ?? 503).to.equal(503);
    const tooSmall = await open({ ...settings, queue: 29 }).then(() => '', String);
    expect(tooSmall).to.match(/30 examples waited when this run was saved: give it a --queue for so many/);
    server = await open({ ...settings, start: true });
    await trained(30);
    const { step } = server.service.trainer;
    await server.close();
    server = await open(settings);
    expect(server.service.status).to.deep.include({ step, examplesSeen: 30 });
  });
});
