// Dark or light: what the system says, unless somebody has chosen here.
const key = 'gradstep-theme';
const system = matchMedia('(prefers-color-scheme: dark)');
/** @type {Set<() => void>} */
const listeners = new Set();

/** @returns {boolean} */
export function isDark() {
  const chosen = document.documentElement.dataset['theme'];
  return chosen === undefined ? system.matches : chosen === 'dark';
}

/** Calls back when colours have changed. @param {() => void} listener */
export function onThemeChange(listener) {
  listeners.add(listener);
}

/** What a colour of style.css is now, for canvases. @param {string} name @returns {string} */
export function colour(name) {
  const probe = document.body;
  const known = colours.get(name);
  if (known !== undefined) return known;
  const element = probe.appendChild(document.createElement('span'));
  element.style.color = `var(--${name})`;
  const value = getComputedStyle(element).color;
  element.remove();
  colours.set(name, value);
  return value;
}
/** @type {Map<string, string>} */
const colours = new Map();

function changed() {
  colours.clear();
  for (const listener of listeners) listener();
}

/** @param {HTMLButtonElement} button */
export function connectThemeButton(button) {
  const show = () => button.setAttribute('aria-pressed', String(isDark()));
  button.addEventListener('click', () => {
    const next = isDark() ? 'light' : 'dark';
    document.documentElement.dataset['theme'] = next;
    localStorage.setItem(key, next);
    changed();
  });
  system.addEventListener('change', changed);
  onThemeChange(show);
  show();
}

const chosen = localStorage.getItem(key);
if (chosen === 'dark' || chosen === 'light') document.documentElement.dataset['theme'] = chosen;
