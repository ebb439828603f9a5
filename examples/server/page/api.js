/** What the server refused, or could not be asked. */
export class ApiError extends Error {
  /**
   * @param {number} status of HTTP, 0 when there was no answer
   * @param {string} code
   * @param {string} message
   */
  constructor(status, code, message) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
  }
}

const tokenKey = 'gradstep-token';

/** The server's HTTP interface, with a token where it wants one. */
export class Api {
  #askForToken;

  /** @param {(why: string) => Promise<string | null>} askForToken null: nobody knows one */
  constructor(askForToken) {
    this.#askForToken = askForToken;
  }

  /**
   * @param {string} path
   * @returns {Promise<unknown>}
   */
  async get(path) {
    return answer(await send(path, { headers: { accept: 'application/json' } }));
  }

  /**
   * @param {string} path
   * @param {unknown} [body]
   * @returns {Promise<unknown>}
   */
  async post(path, body = {}) {
    for (;;) {
      const token = sessionStorage.getItem(tokenKey);
      const response = await send(path, {
        method: 'POST',
        headers: {
          accept: 'application/json',
          'content-type': 'application/json',
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        },
        body: JSON.stringify(body),
      });
      if (response.status !== 401) return answer(response);
      // Another request may have been given one meanwhile.
      if (sessionStorage.getItem(tokenKey) !== token) continue;
      const given = await this.#askForToken(token === null ? '' : 'The server did not accept that token.');
      if (given === null) return answer(response);
      sessionStorage.setItem(tokenKey, given);
    }
  }
}

/**
 * @param {string} path
 * @param {RequestInit} options
 */
async function send(path, options) {
  try {
    return await fetch(path, options);
  } catch {
    throw new ApiError(0, 'unreachable', 'the server cannot be reached');
  }
}

/**
 * The JSON of a response.
 * @param {Response} response
 * @returns {Promise<unknown>}
 */
async function answer(response) {
  const body = await response.json().catch(() => null);
  if (response.ok && body !== null) return body;
  const { code = 'unknown', message = `the server answered ${response.status} ${response.statusText}` } =
    body?.error ?? {};
  const wait = response.headers.get('retry-after');
  throw new ApiError(response.status, code, wait === null ? message : `${message}; try again in ${wait} s`);
}
