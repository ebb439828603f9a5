import { byId, setText } from './dom.js';

/**
 * Asks for the token.
 * @param {string} why shown above the field, '' for nothing
 * @returns {Promise<string | null>} null when nobody knows it
 */
export async function askForToken(why) {
  const field = byId('token', HTMLInputElement);
  const problem = byId('token-problem', HTMLElement);
  setText(problem, why);
  problem.hidden = why === '';
  field.value = '';
  const isGiven = await ask(byId('token-dialog', HTMLDialogElement));
  const token = field.value.trim();
  return isGiven && token !== '' ? token : null;
}

/**
 * Asks whether something is to be done.
 * @param {string} question
 * @param {string} detail
 * @param {string} yes what the button says that does it
 */
export function confirm(question, detail, yes) {
  setText(byId('confirm-title', HTMLElement), question);
  setText(byId('confirm-detail', HTMLElement), detail);
  setText(byId('confirm-yes', HTMLElement), yes);
  return ask(byId('confirm-dialog', HTMLDialogElement));
}

/**
 * Shows a dialog.
 * @param {HTMLDialogElement} dialog
 * @returns {Promise<boolean>} whether its form was sent, rather than left by Escape or the button that says so
 */
function ask(dialog) {
  return new Promise((resolve) => {
    const form = dialog.querySelector('form');
    const cancel = dialog.querySelector('[data-cancel]');
    const listening = new AbortController();
    const { signal } = listening;
    let isSent = false;
    form?.addEventListener(
      'submit',
      (event) => {
        event.preventDefault();
        isSent = true;
        dialog.close();
      },
      { signal },
    );
    cancel?.addEventListener('click', () => dialog.close(), { signal });
    dialog.addEventListener(
      'close',
      () => {
        listening.abort();
        resolve(isSent);
      },
      { signal },
    );
    dialog.showModal();
  });
}
