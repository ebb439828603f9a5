// The real server, in a process of its own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { patience } from './kit.mjs';

/** Starts examples/server. @returns its URL and port, and ways to end it. */
export async function startServer(args) {
  const port = args.includes('--port') ? [] : ['--port', '0'];
  const child = spawn(process.execPath, ['build/ts/examples/server.js', ...port, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const url = await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`the server does not start: ${output}`)), patience);
    const read = (chunk) => {
      output += chunk;
      const found = /http:\/\/127\.0\.0\.1:\d+(?=\s)/.exec(output);
      if (found === null) return;
      clearTimeout(timer);
      resolve(`${found[0]}/`);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}: ${output}`)));
  });
  const endBy = async (signal) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
  };
  return { url, port: new URL(url).port, end: () => endBy('SIGTERM'), kill: () => endBy('SIGKILL') };
}
