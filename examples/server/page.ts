import type { FastifyInstance } from 'fastify';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.webmanifest': 'application/manifest+json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
};

/** What a browser lets the page do: use what comes from here, and nothing else. */
export const pageHeaders = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const;

const root = dirname(require.resolve('gradstep/package.json'));

/** The files by their URLs: there are no others, so that no path leads out of the folder. */
function pageFiles(): Map<string, string> {
  const page = join(root, 'examples', 'server', 'page');
  const names = readdirSync(page).filter((name) => extname(name) in types);
  const files = new Map(names.map((name) => [`/${name}`, join(page, name)]));
  files.set('/', join(page, 'index.html'));
  const uplot = dirname(require.resolve('uplot'));
  for (const name of ['uPlot.esm.js', 'uPlot.min.css']) files.set(`/uplot/${name}`, join(uplot, name));
  return files;
}

/** Serves the page, and the package that draws its charts. */
export function servePage(app: FastifyInstance): void {
  for (const [url, file] of pageFiles()) {
    const bytes = readFileSync(file);
    const type = types[extname(file)]!;
    app.get(url, (_request, reply) => reply.type(type).header('cache-control', 'no-cache').send(bytes));
  }
}
