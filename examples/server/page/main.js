import { Api } from './api.js';
import { Charts } from './charts.js';
import { Controls } from './controls.js';
import { askForToken } from './dialogs.js';
import { Distributions } from './distributions.js';
import { byId } from './dom.js';
import { Feed } from './feed.js';
import { showFigures, showModel } from './figures.js';
import { showConnection, showError } from './messages.js';
import { Pad } from './pad.js';
import { CheckpointTable, showWorkers } from './tables.js';
import { connectThemeButton } from './theme.js';

/** @import { History, Model, Point, Status } from './contract' */

const api = new Api(askForToken);
const charts = new Charts(byId('charts', HTMLElement));
const distributions = new Distributions();
const controls = new Controls(api, () => void loadHistory());
const checkpoints = new CheckpointTable((checkpoint) => {
  if (controls.canRestore) void controls.restore(checkpoint);
});
const pad = new Pad(api);

/** What comes while the history is on its way, which may or may not have it. @type {Point[] | null} */
let meanwhile = null;
/** @type {Status | null} */
let status = null;

async function loadHistory() {
  const points = (meanwhile = /** @type {Point[]} */ ([]));
  try {
    const history = /** @type {History} */ (await api.get('/history'));
    if (meanwhile !== points) return; // asked again since
    charts.replace(history.points, history.accuracies);
  } catch (error) {
    showError('Cannot load the history', error);
  }
  if (meanwhile !== points) return;
  meanwhile = null;
  charts.add(points);
  if (status !== null) showFigures(status, charts.latest);
}

async function loadModel() {
  try {
    const model = /** @type {Model} */ (await api.get('/model'));
    showModel(model);
    distributions.setModel(model);
  } catch (error) {
    showError('Cannot load the model', error);
  }
}

/** @param {boolean} isConnected */
function setConnected(isConnected) {
  controls.setConnected(isConnected);
  pad.setConnected(isConnected);
}

const feed = new Feed('/events', {
  connected() {
    showConnection('live');
    setConnected(true);
    void loadModel();
    void loadHistory();
  },
  lost() {
    showConnection('lost');
    setConnected(false);
  },
  status(next) {
    status = next;
    controls.show(next);
    checkpoints.show(next.checkpoints);
    showWorkers(next.workers);
    charts.addStatus(next);
    showFigures(next, charts.latest);
    pad.setTraining(next.state === 'running');
    controls.setConnected(true);
  },
  progress({ points }) {
    if (meanwhile !== null) meanwhile.push(...points);
    else charts.add(points);
    if (status !== null) showFigures(status, charts.latest);
  },
  histograms: (histograms) => distributions.add(histograms),
  accuracy: (accuracy) => charts.addAccuracy(accuracy),
});

for (const radio of document.querySelectorAll('input[name="span"]')) {
  radio.addEventListener('change', () => {
    if (radio instanceof HTMLInputElement)
      charts.showLast(radio.value === 'all' ? Infinity : 1000 * Number(radio.value));
  });
}
const log = byId('log', HTMLInputElement);
log.addEventListener('change', () => charts.setLog(log.checked));
connectThemeButton(byId('theme', HTMLButtonElement));
showConnection('connecting');
feed.open();
