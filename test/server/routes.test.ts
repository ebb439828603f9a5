import { expect } from 'chai';
import { digit, examples, open, settingsIn, withFolder, type Answer, type Server } from './support';

/** The error that an answer tells of. */
function expectError(answer: Answer, status: number, code: string, message: RegExp): void {
  expect(answer.json.error?.message).to.match(message);
  expect([answer.status, answer.json.error?.code]).to.deep.equal([status, code]);
  expect(Object.keys(answer.json)).to.deep.equal(['error']);
}

describe('the training server', () => {
  const folder = withFolder();
  let server: Server;
  before(async () => (server = await open(settingsIn(folder()))));
  after(() => server.close());

  describe('GET /model', () => {
    it('says what is trained, and how', async () => {
      const { json } = await server.ask('GET', '/model');
      expect(json).to.deep.include({ parameters: 203_530, batchSize: 16, workers: 2, step: 0, state: 'idle' });
      expect(json.optimizer).to.deep.equal({
        class: 'AdamOptimizer',
        hyperparameters: { learningRate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
      });
      expect(json.variables).to.deep.equal([
        { name: 'hidden/kernel', shape: [784, 256] },
        { name: 'hidden/bias', shape: [256] },
        { name: 'classes/kernel', shape: [256, 10] },
        { name: 'classes/bias', shape: [10] },
      ]);
    });
  });

  describe('POST /predict', () => {
    it('gives a label and probabilities for each row, the same alone and among others', async () => {
      const rows = Array.from({ length: 64 }, (_, i) => digit(i % 10));
      const { status, json } = await server.ask('POST', '/predict', { x: rows });
      const predictions = json.predictions as { label: number; probabilities: number[] }[];
      expect([status, json.step, predictions.length]).to.deep.equal([200, 0, 64]);
      for (const { label, probabilities } of predictions) {
        expect(probabilities.reduce((sum, p) => sum + p, 0)).to.be.closeTo(1, 1e-5);
        expect(probabilities.indexOf(Math.max(...probabilities))).to.equal(label);
      }
      const alone = await Promise.all(rows.slice(0, 10).map((row) => server.ask('POST', '/predict', { x: [row] })));
      expect(alone.map((answer) => (answer.json.predictions as unknown[])[0])).to.deep.equal(predictions.slice(0, 10));
    });
  });

  describe('GET /status', () => {
    it('is what the events tell', async () => {
      const { json } = await server.ask('GET', '/status');
      expect(json).to.deep.include({ state: 'idle', step: 0, examplesSeen: 0, stream: false, saving: false });
      expect(json.queue).to.deep.equal({ length: 0, capacity: 64 });
      expect(json.workers).to.deep.equal([0, 1].map((rank) => ({ rank, state: 'stopped', examplesPerSecond: 0 })));
      expect(json.checkpoints).to.have.length(1);
    });
  });

  describe('GET /metrics', () => {
    it('has counters that follow what happens', async () => {
      await server.ask('POST', '/predict', { x: [digit(1)] });
      const { headers, text } = await server.ask('GET', '/metrics');
      expect(headers['content-type']).to.match(/^text\/plain; version=0.0.4/);
      expect(text).to.match(/^server_predictions_total [1-9]/m);
      expect(text).to.match(/^server_queue_capacity_examples 64$/m);
      expect(text).to.match(
        /server_request_duration_seconds_count\{method="POST",route="\/predict",status="200"\} [1-9]/,
      );
    });
  });

  describe('the page', () => {
    it('comes with its package, types, and a policy that lets nothing else in', async () => {
      const page = await server.ask('GET', '/');
      expect([page.status, page.headers['content-type']]).to.deep.equal([200, 'text/html; charset=utf-8']);
      expect(page.headers['content-security-policy']).to.match(/default-src 'none'; script-src 'self'/);
      expect(page.headers['x-content-type-options']).to.equal('nosniff');
      const chart = await server.ask('GET', '/uplot/uPlot.esm.js');
      expect([chart.status, chart.headers['content-type']]).to.deep.equal([200, 'text/javascript; charset=utf-8']);
      expect((await server.ask('GET', '/uplot/uPlot.min.css')).headers['content-type']).to.match(/^text\/css/);
    });

    for (const url of [
      '/../settings.ts',
      '/%2e%2e/settings.ts',
      '/..%2fsettings.ts',
      '/page/index.html',
      '//etc/passwd',
    ]) {
      it(`is no way to other files: ${url}`, async () => {
        expectError(await server.ask('GET', url), 404, 'not_found', /^there is no GET /);
      });
    }
  });

  describe('says what is wrong with a request', () => {
    const image = digit(0);
    const changed = (i: number, value: unknown): unknown[] => image.map((pixel, j) => (j === i ? value : pixel));
    const refused: [what: string, body: unknown, message: RegExp][] = [
      ['no examples', {}, /examples/],
      ['an empty list', { examples: [] }, /fewer than 1/],
      ['more than 64', examples(65), /more than 64/],
      ['an image that is too small', { examples: [{ x: image.slice(1), y: 1 }] }, /examples\/0\/x.*fewer than 784/],
      ['an image that is too large', { examples: [{ x: [...image, 0], y: 1 }] }, /more than 784/],
      ['a pixel below 0', { examples: [{ x: changed(7, -0.1), y: 1 }] }, /x\/7 must be >= 0/],
      ['a pixel above 1', { examples: [{ x: changed(7, 1.1), y: 1 }] }, /x\/7 must be <= 1/],
      ['a pixel that is a text', { examples: [{ x: changed(7, '0'), y: 1 }] }, /x\/7 must be number/],
      ['a pixel that is missing', { examples: [{ x: changed(7, null), y: 1 }] }, /x\/7 must be number/],
      ['a label that is none', { examples: [{ x: image, y: 10 }] }, /y must be <= 9/],
      ['a label between two', { examples: [{ x: image, y: 1.5 }] }, /y must be integer/],
      ['another name', { examples: [{ x: image, y: 1, z: 1 }] }, /additional properties/],
    ];
    for (const [what, body, message] of refused) {
      it(what, async () => {
        expectError(await server.ask('POST', '/examples', body), 400, 'invalid_request', message);
        expect(server.service.queue.length).to.equal(0);
      });
    }

    const send = async (payload: string, type = 'application/json'): Promise<Answer> => {
      const headers = { host: 'localhost', 'content-type': type };
      const response = await server.app.inject({ method: 'POST', url: '/examples', payload, headers });
      return { status: response.statusCode, headers: response.headers, text: response.body, json: response.json() };
    };

    it('a number that is not finite', async () => {
      const body = JSON.stringify({ examples: [{ x: image, y: 1 }] }).replace('0.9', '1e999');
      expectError(await send(body), 400, 'invalid_request', /x\/0 must be number/);
    });

    it('what is no JSON', async () => {
      expectError(await send('{"examples": ['), 400, 'invalid_request', /JSON/);
      expectError(await send(''), 400, 'invalid_request', /empty/);
    });

    it('names that would reach into objects', async () => {
      expectError(await send('{"examples": [], "__proto__": {}}'), 400, 'invalid_request', /not valid JSON/);
    });

    it('what is too large', async () => {
      expectError(await send(`"${'x'.repeat(2 ** 21)}"`), 413, 'payload_too_large', /too large/);
    });

    it('another type', async () => {
      for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
        expectError(await send('{}', type), 415, 'unsupported_media_type', /send content-type: application\/json/);
      }
    });

    it('rows to predict', async () => {
      for (const body of [{}, { x: [] }, { x: [[1]] }, { x: image }, { x: new Array(65).fill(image) }, []]) {
        expectError(await server.ask('POST', '/predict', body), 400, 'invalid_request', /body/);
      }
    });

    it('steps that are none, or have no checkpoint', async () => {
      expectError(await server.ask('POST', '/restore', { step: -1 }), 400, 'invalid_request', /step must be >= 0/);
      expectError(await server.ask('POST', '/restore', { step: '0' }), 400, 'invalid_request', /step must be integer/);
      expectError(await server.ask('POST', '/restore', { step: 7 }), 404, 'not_found', /no checkpoint of this step/);
    });

    it('routes that there are not', async () => {
      expectError(await server.ask('GET', '/examples'), 404, 'not_found', /there is no GET \/examples/);
      expectError(await server.ask('POST', '/'), 404, 'not_found', /there is no POST \//);
    });
  });
});
