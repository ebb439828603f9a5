import { expect } from 'chai';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { answerOf, open, settingsIn, until, withFolder, type Server } from './support';

interface Event {
  readonly name: string;
  readonly data: Record<string, unknown>;
}

describe('GET /events', () => {
  const folder = withFolder();
  let server: Server;
  let port: number;
  const responses: IncomingMessage[] = [];

  beforeEach(async () => {
    server = await open(settingsIn(folder(), { stream: true }));
    await server.app.listen({ port: 0, host: '127.0.0.1' });
    port = (server.app.server.address() as AddressInfo).port;
  });
  afterEach(async () => {
    for (const response of responses.splice(0)) response.destroy();
    await server.close();
  });

  async function listen(): Promise<IncomingMessage> {
    const [response] = (await once(get({ port, path: '/events' }), 'response')) as [IncomingMessage];
    responses.push(response);
    return response;
  }

  /** Gathers what comes in. */
  function heard(response: IncomingMessage): Event[] {
    const events: Event[] = [];
    let text = '';
    response.setEncoding('utf8').on('data', (chunk: string) => {
      const whole = (text + chunk).split('\n\n');
      text = whole.pop()!;
      for (const part of whole) {
        const [, name, data] = /^event: (\w+)\ndata: (.*)$/.exec(part) ?? [];
        if (name !== undefined) events.push({ name, data: JSON.parse(data!) as Event['data'] });
      }
    });
    response.on('error', () => {}); // it is destroyed when the test is over
    return events;
  }

  it('tells the state at once, and each change of it', async () => {
    const response = await listen();
    expect(response.headers['content-type']).to.equal('text/event-stream');
    const events = heard(response);
    await until(() => events.length > 0, 'the first event');
    expect(events[0]!.name).to.equal('status');
    expect(events[0]!.data).to.deep.include({ state: 'idle', step: 0, stream: true });
    expect(events[0]!.data).to.have.all.keys(
      ...['state', 'step', 'examplesSeen', 'stream', 'queue', 'workers', 'eventLoopDelay', 'uptimeSeconds'],
      ...['checkpoints', 'saving', 'authorization'],
    );
    await server.ask('POST', '/start');
    await until(() => events.some(({ data }) => data.state === 'running'), 'running');
    await server.ask('POST', '/pause');
    await until(() => events.some(({ data }) => data.state === 'paused'), 'paused');
  });

  it('tells how the training goes, what weights and gradients are like, and how well it reads', async () => {
    const events = heard(await listen());
    await server.ask('POST', '/start');
    await server.service.broadcast.accuracy();
    const of = (name: string): Event | undefined => events.find((event) => event.name === name);
    await until(() => {
      server.service.broadcast.histograms(); // asks for gradients, and tells of those that are there
      return of('histograms') !== undefined;
    }, 'histograms');
    await until(() => of('progress') !== undefined && of('accuracy') !== undefined, 'the others');
    const [point] = of('progress')!.data.points as object[];
    expect(point).to.have.all.keys(
      ...['step', 'loss', 'gradientNorm', 'clipNorm', 'learningRate', 'examplesPerSecond', 'time'],
    );
    const { weights, gradients } = of('histograms')!.data as Record<
      string,
      { name: string; limits: number[]; counts: number[] }[]
    >;
    for (const list of [weights!, gradients!]) {
      expect(list.map(({ name }) => name)).to.deep.equal(server.service.run.variables.map(({ name }) => name));
      list.forEach(({ limits, counts }, i) => {
        expect(limits).to.have.length(counts.length + 1);
        const sum = counts.reduce((a, b) => a + b, 0);
        expect(sum).to.be.closeTo(server.service.run.variables[i]!.size, 1e-3);
      });
    }
    expect(of('accuracy')!.data.accuracy).to.be.within(0, 1);
    const history = await server.ask('GET', '/history');
    expect(history.json.points).to.be.an('array').that.is.not.empty;
    expect(history.json.accuracies).to.be.an('array').that.is.not.empty;
  });

  it('does not buffer without end for who does not read, and lets others go on', async () => {
    const socket = connect(port, '127.0.0.1');
    socket.write('GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n');
    socket.pause();
    socket.on('error', () => {});
    const events = heard(await listen());
    await until(() => server.service.events.size === 2, 'both');
    const large = { text: 'x'.repeat(2 ** 16) };
    for (let i = 0; server.service.events.size === 2; i++) {
      expect(i, 'events of 64 KB that were kept for it').to.be.below(1000);
      server.service.events.send('large', large);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    server.service.events.send('last', {});
    await until(() => events.some(({ name }) => name === 'last'), 'the last event');
    socket.destroy();
  });

  it('is for so many at once', async () => {
    for (let i = 0; i < 32; i++) await listen();
    const response = await listen();
    let text = '';
    for await (const chunk of response) text += String(chunk);
    const { status, headers, json } = answerOf(response.statusCode!, response.headers, text);
    expect([status, json.error?.code, headers['retry-after']]).to.deep.equal([503, 'too_many_clients', '5']);
    responses[0]!.destroy();
    await until(() => server.service.events.size < 32, 'a place');
    expect((await listen()).statusCode).to.equal(200);
  });
});
