import type { ServerResponse } from 'node:http';
import { HttpError } from './errors';

/** So many may listen. */
const mostClients = 32;
/** Who has not read so much is not written to any further, but disconnected: a browser comes back by itself. */
const mostBehind = 2 ** 18;
const pingEvery = 15_000;

/** Server-sent events: what happens is written to everybody who listens. */
export class Events {
  private readonly clients = new Set<ServerResponse>();
  private readonly pings = setInterval(() => this.write(': ping\n\n'), pingEvery).unref();

  get isHeard(): boolean {
    return this.clients.size > 0;
  }

  get size(): number {
    return this.clients.size;
  }

  /** @throws HttpError where there are too many. */
  checkRoom(): void {
    if (this.clients.size < mostClients) return;
    throw new HttpError(503, 'too_many_clients', `${mostClients} listen already`, 5);
  }

  /** Lets one more listen. */
  add(response: ServerResponse, headers: Readonly<Record<string, string>>): void {
    const own = { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' };
    response.writeHead(200, { ...headers, ...own }); // the last one tells proxies like nginx not to gather events
    response.write('retry: 2000\n\n');
    this.clients.add(response);
    response.on('close', () => this.clients.delete(response));
    response.on('error', () => this.clients.delete(response));
  }

  send(name: string, data: unknown, to?: ServerResponse): void {
    if (!this.isHeard) return;
    const text = `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
    if (to === undefined) this.write(text);
    else to.write(text);
  }

  close(): void {
    clearInterval(this.pings);
    for (const client of this.clients) client.end();
    this.clients.clear();
  }

  private write(text: string): void {
    for (const client of this.clients) {
      if (client.writableLength > mostBehind) {
        this.clients.delete(client);
        client.destroy();
      } else client.write(text);
    }
  }
}
