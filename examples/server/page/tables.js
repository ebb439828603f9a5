import { byId, create, onPress, setText } from './dom.js';
import { bytes, compact, count, duration, time } from './format.js';

/** @import { Checkpoint, Worker } from './contract' */

/** The checkpoints, newest first, each with a button. */
export class CheckpointTable {
  #body = byId('checkpoints', HTMLTableSectionElement);
  #none = byId('no-checkpoints', HTMLElement);
  #restore;
  #shown = '';

  /** @param {(checkpoint: Checkpoint) => void} restore */
  constructor(restore) {
    this.#restore = restore;
  }

  /** @param {Checkpoint[]} checkpoints */
  show(checkpoints) {
    // Rows are made anew only when there are others, so that a button keeps the focus.
    const key = JSON.stringify(checkpoints);
    if (key === this.#shown) return;
    this.#shown = key;
    const focused =
      document.activeElement instanceof HTMLElement ? document.activeElement.dataset['restore'] : undefined;
    this.#body.replaceChildren(...checkpoints.map((checkpoint) => this.#row(checkpoint)));
    this.#none.hidden = checkpoints.length > 0;
    if (focused === undefined) return;
    const again = this.#body.querySelector(`[data-restore="${focused}"]`) ?? this.#body.querySelector('button');
    if (again instanceof HTMLElement) again.focus();
  }

  /** @param {Checkpoint} checkpoint */
  #row(checkpoint) {
    const { step, bytes: size, seconds, savedAt } = checkpoint;
    const button = create(
      'button',
      { type: 'button', class: 'quiet', 'data-restore': String(step), 'aria-label': `Restore step ${count(step)}` },
      'Restore',
    );
    onPress(button, () => this.#restore(checkpoint));
    return create(
      'tr',
      {},
      create('th', { scope: 'row' }, count(step)),
      create('td', {}, bytes(size)),
      create('td', {}, duration(seconds)),
      create('td', { class: 'wide' }, time(savedAt)),
      create('td', { class: 'action' }, button),
    );
  }
}

/** The workers, each with its share of the fastest one's speed. @param {Worker[]} workers */
export function showWorkers(workers) {
  const body = byId('workers', HTMLTableSectionElement);
  while (body.rows.length > workers.length) body.deleteRow(-1);
  while (body.rows.length < workers.length) {
    const bar = create('td', { class: 'bar' }, create('span', { 'aria-hidden': 'true' }));
    body.append(create('tr', {}, create('th', { scope: 'row' }), create('td', { class: 'words' }), create('td'), bar));
  }
  const most = Math.max(1, ...workers.map(({ examplesPerSecond }) => examplesPerSecond ?? 0));
  workers.forEach(({ rank, state, examplesPerSecond }, i) => {
    const [name, word, speed, bar] = body.rows[i].cells;
    setText(name, String(rank));
    setText(word, state);
    setText(speed, compact(examplesPerSecond));
    const span = bar.firstElementChild;
    if (span instanceof HTMLElement) span.style.inlineSize = `${(100 * (examplesPerSecond ?? 0)) / most}%`;
  });
  byId('no-workers', HTMLElement).hidden = workers.length > 0;
}
