import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { HttpError } from './errors';
import { isLoopback, type Settings } from './settings';

/** Says no to who may not change anything. */
export class Guard {
  private readonly digest: Buffer | null;
  private readonly hosts: readonly string[] | null;

  constructor({ token, host, open }: Pick<Settings, 'token' | 'host' | 'open'>) {
    this.digest = token === undefined ? null : digestOf(token);
    // Without a token this machine is trusted, and with it every page that its browsers show: one of somebody else's must
    // not get here under a name that it has made up for this machine.
    this.hosts = token === undefined && !open && isLoopback(host) ? ['localhost', '127.0.0.1', '[::1]', host] : null;
  }

  /** @throws HttpError for a request that comes by another name than ours. */
  checkHost({ host = '' }: IncomingHttpHeaders): void {
    if (this.hosts === null || this.hosts.includes(nameIn(host))) return;
    throw new HttpError(403, 'forbidden', `this server is not ${nameIn(host) || 'nameless'}`);
  }

  /** @throws HttpError for a caller that may not change anything. */
  checkCaller({ authorization = '', host, origin }: IncomingHttpHeaders): void {
    if (this.digest !== null) {
      const token = /^Bearer (.+)$/i.exec(authorization)?.[1] ?? '';
      // Digests have one length and say nothing of the token, however long comparing takes.
      if (timingSafeEqual(digestOf(token), this.digest)) return;
      throw new HttpError(
        401,
        'unauthorized',
        'this needs the header Authorization: Bearer <token>, with the right one',
      );
    }
    // Browsers tell which page a request comes from; without a token only our own may.
    if (origin === undefined || origin.replace(/^https?:\/\//, '') === host) return;
    throw new HttpError(403, 'forbidden', `pages of ${origin} may not do this`);
  }
}

const digestOf = (token: string): Buffer => createHash('sha256').update(token).digest();

/** A host without its port. */
const nameIn = (host: string): string => host.replace(/:\d+$/, '').toLowerCase();
