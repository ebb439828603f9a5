import { byId, create, setText } from './dom.js';

const mostErrors = 3;

/** Shows an error until it is dismissed. @param {string} what was tried @param {unknown} error */
export function showError(what, error) {
  const list = byId('errors', HTMLElement);
  const why = error instanceof Error ? error.message : String(error);
  const key = `${what}: ${why}`;
  for (const shown of list.children) if (shown instanceof HTMLElement && shown.dataset['key'] === key) shown.remove();
  const dismiss = create('button', { type: 'button', class: 'quiet', 'aria-label': `Dismiss: ${what}` }, 'Dismiss');
  const item = create('div', { class: 'error' }, create('p', {}, create('strong', {}, `${what}:`), ` ${why}`), dismiss);
  item.dataset['key'] = key;
  dismiss.addEventListener('click', () => item.remove());
  list.append(item);
  while (list.children.length > mostErrors) list.firstElementChild?.remove();
}

/** Says what has changed to those who do not see it; for the rare, not for numbers. @param {string} text */
export function announce(text) {
  setText(byId('announcement', HTMLElement), text);
}

/** @typedef {'connecting' | 'live' | 'lost'} Connection */
const words = { connecting: 'Connecting', live: 'Live', lost: 'Offline' };

/** @param {Connection} connection */
export function showConnection(connection) {
  const element = byId('connection', HTMLElement);
  element.dataset['state'] = connection;
  setText(element, words[connection]);
  document.documentElement.dataset['connection'] = connection;
  const banner = byId('lost', HTMLElement);
  setText(
    banner,
    connection === 'lost' ? 'Connection lost. Numbers are from before; trying again every 2 seconds.' : '',
  );
}
