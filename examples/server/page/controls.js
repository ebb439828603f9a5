import { byId, onPress, setEnabled, setText } from './dom.js';
import { confirm } from './dialogs.js';
import { count, time } from './format.js';
import { announce, showError } from './messages.js';

/** @import { Api } from './api.js' */
/** @import { Checkpoint, State, Status } from './contract' */

/** @type {Record<State, string>} */
const stateWords = { idle: 'Idle', running: 'Training', paused: 'Paused', stopping: 'Stopping', failed: 'Failed' };

/** What the one large button does in each state. @type {Record<State, { label: string, path: string } | null>} */
const nextActions = {
  idle: { label: 'Start', path: '/start' },
  running: { label: 'Pause', path: '/pause' },
  paused: { label: 'Resume', path: '/resume' },
  stopping: null,
  failed: { label: 'Start', path: '/start' },
};

/** What the state is, and the buttons that change it. */
export class Controls {
  #api;
  #restored;
  #next = byId('next', HTMLButtonElement);
  #save = byId('save', HTMLButtonElement);
  #restore = byId('restore', HTMLButtonElement);
  #state = byId('state', HTMLElement);
  #reason = byId('reason', HTMLElement);
  /** @type {Status | null} */
  #status = null;
  #isBusy = false;
  #isConnected = false;

  /**
   * @param {Api} api
   * @param {() => void} restored called when the run has gone back
   */
  constructor(api, restored) {
    this.#api = api;
    this.#restored = restored;
    onPress(this.#next, () => {
      const action = this.#status && nextActions[this.#status.state];
      if (action) void this.#ask(action.path, {}, `Cannot ${action.label.toLowerCase()}`);
    });
    onPress(this.#save, () => void this.#ask('/checkpoint', {}, 'Cannot save a checkpoint'));
    onPress(this.#restore, () => {
      const newest = this.#status?.checkpoints[0];
      if (newest !== undefined) void this.restore(newest);
    });
  }

  /** @param {Status} status */
  show(status) {
    const before = this.#status;
    this.#status = status;
    const { state, reason = '', saving, checkpoints } = status;
    document.documentElement.dataset['run'] = state;
    setText(this.#state, stateWords[state] ?? state);
    this.#state.dataset['state'] = state;
    setText(this.#reason, reason);
    this.#reason.hidden = reason === '';
    if (before !== null && before.state !== state) {
      announce(`${stateWords[state]} at step ${count(status.step)}${reason === '' ? '' : `: ${reason}`}`);
    }
    const newest = checkpoints[0];
    if (before?.saving && !saving && newest !== undefined && newest.step !== before.checkpoints[0]?.step) {
      announce(`Checkpoint of step ${count(newest.step)} saved`);
    }
    this.#update();
  }

  /** @param {boolean} isConnected */
  setConnected(isConnected) {
    this.#isConnected = isConnected;
    this.#update();
  }

  get canRestore() {
    const state = this.#status?.state;
    return this.#isReady && state !== undefined && ['idle', 'paused', 'failed'].includes(state);
  }

  /** @param {Checkpoint} checkpoint */
  async restore({ step, savedAt }) {
    const now = this.#status?.step ?? step;
    const lost = Math.max(0, now - step);
    const detail =
      `The model goes back to how it was at step ${count(step)}, saved at ${time(savedAt)}.` +
      (lost > 0 ? ` What the ${count(lost)} steps since have changed is gone, unless a checkpoint has it.` : '');
    if (!(await confirm(`Restore step ${count(step)}?`, detail, 'Restore'))) return;
    if (await this.#ask('/restore', { step }, 'Cannot restore')) {
      announce(`Restored step ${count(step)}`);
      this.#restored();
    }
  }

  get #isReady() {
    return this.#isConnected && !this.#isBusy && this.#status !== null;
  }

  #update() {
    const status = this.#status;
    const action = status && nextActions[status.state];
    setText(this.#next, action?.label ?? 'Start');
    setEnabled(this.#next, this.#isReady && action !== null);
    const isSaving = status?.saving ?? false;
    const canSave = status !== null && ['running', 'paused'].includes(status.state) && !isSaving;
    setText(this.#save, isSaving ? 'Saving…' : 'Checkpoint now');
    setEnabled(this.#save, this.#isReady && canSave);
    this.#restore.title = status?.state === 'running' ? 'Pause first' : '';
    setEnabled(this.#restore, this.canRestore && (status?.checkpoints.length ?? 0) > 0);
    for (const button of document.querySelectorAll('button[data-restore]')) {
      if (button instanceof HTMLButtonElement) setEnabled(button, this.canRestore);
    }
  }

  /** @param {string} path @param {object} body @param {string} failure @returns {Promise<boolean>} whether it is done */
  async #ask(path, body, failure) {
    this.#isBusy = true;
    this.#update();
    try {
      await this.#api.post(path, body);
      return true;
    } catch (error) {
      showError(failure, error);
      return false;
    } finally {
      this.#isBusy = false;
      this.#update();
    }
  }
}
