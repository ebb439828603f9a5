import { expect } from 'chai';
import { checkExposure } from '../../examples/server/settings';
import { examples, open, settingsIn, withFolder, type Server } from './support';

const changing = ['/examples', '/start', '/pause', '/resume', '/checkpoint', '/restore'];

describe('the training server lets nobody change anything', () => {
  const folder = withFolder();
  let server: Server;
  afterEach(() => server?.close());

  it('who does not bring the token, where there is one', async () => {
    server = await open(settingsIn(folder(), { token: 'quite secret' }));
    const headers = [
      '',
      'Bearer',
      'Bearer ',
      'Bearer quite',
      'Bearer quite secret!',
      'Basic quite secret',
      'quite secret',
    ];
    for (const url of changing) {
      for (const authorization of headers) {
        const { status, json, headers: given } = await server.ask('POST', url, undefined, { authorization });
        expect([status, json.error?.code, given['www-authenticate']]).to.deep.equal([401, 'unauthorized', 'Bearer']);
      }
      const inUrl = await server.ask('POST', `${url}?token=quite%20secret`);
      expect(inUrl.status).to.equal(401);
    }
    expect(server.service.status).to.deep.include({ state: 'idle', authorization: true });
  });

  it('but who does', async () => {
    server = await open(settingsIn(folder(), { token: 'quite secret' }));
    const authorization = 'Bearer quite secret';
    const ask = (url: string, body?: unknown, more = {}): Promise<number> =>
      server.ask('POST', url, body, { authorization, ...more }).then(({ status }) => status);
    expect(await ask('/examples', examples(1))).to.equal(202);
    expect(await ask('/start', undefined, { host: 'proxy.example', origin: 'https://other.example' })).to.equal(200);
    expect((await server.ask('GET', '/status', undefined, { host: 'proxy.example' })).status).to.equal(200);
  });

  it('from a page of somebody else, where there is no token', async () => {
    server = await open(settingsIn(folder()));
    for (const url of changing) {
      for (const origin of ['https://evil.example', 'http://localhost:1', 'null']) {
        const { status, json } = await server.ask('POST', url, undefined, { host: 'localhost:8080', origin });
        expect([status, json.error?.code]).to.deep.equal([403, 'forbidden']);
      }
    }
    const own = { host: 'localhost:8080', origin: 'http://localhost:8080' };
    expect((await server.ask('POST', '/checkpoint', undefined, own)).status).to.equal(200);
  });

  it('under a name that somebody else has made up for this machine', async () => {
    server = await open(settingsIn(folder()));
    for (const host of ['evil.example', 'evil.example:8080', 'localhost.evil.example']) {
      const { status, json } = await server.ask('GET', '/status', undefined, { host });
      expect([status, json.error?.code]).to.deep.equal([403, 'forbidden']);
    }
    for (const host of ['localhost:8080', '127.0.0.1', '[::1]:8080', 'LOCALHOST']) {
      expect((await server.ask('GET', '/status', undefined, { host })).status).to.equal(200);
    }
  });

  it('from elsewhere, unless there is a token, or somebody wants it so', () => {
    const refuses = (host: string, token?: string, isOpen = false): string => {
      try {
        checkExposure({ host, open: isOpen, ...(token !== undefined && { token }) });
        return '';
      } catch (error) {
        return (error as Error).message;
      }
    };
    for (const host of ['0.0.0.0', '::', '192.168.0.7', 'server.example', '128.0.0.1']) {
      expect(refuses(host)).to.match(/can be reached from elsewhere: give a --token/);
      expect([refuses(host, 'secret'), refuses(host, undefined, true)]).to.deep.equal(['', '']);
    }
    for (const host of ['127.0.0.1', '127.1.2.3', 'localhost', '::1']) expect(refuses(host)).to.equal('');
    expect(refuses('127.0.0.1', '')).to.match(/the token is empty/);
  });
});
