/**
 * The element of this id.
 * @template {Element} T
 * @param {string} id
 * @param {new () => T} kind
 * @returns {T}
 */
export function byId(id, kind) {
  const element = document.getElementById(id);
  if (!(element instanceof kind)) throw new Error(`the page has no ${kind.name} with the id ${id}`);
  return element;
}

/**
 * A new element. Text is always text, never HTML.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function create(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/**
 * Sets a text unless that is there: writing it again would make a browser lay out anew.
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Whether a button can be pressed. It is not `disabled`, which would take the focus from under the finger.
 * @param {HTMLButtonElement} button
 * @param {boolean} isEnabled
 */
export function setEnabled(button, isEnabled) {
  button.setAttribute('aria-disabled', String(!isEnabled));
}

/**
 * Calls back when a button is pressed that is enabled.
 * @param {HTMLButtonElement} button
 * @param {() => void} callback
 */
export function onPress(button, callback) {
  button.addEventListener('click', () => {
    if (button.getAttribute('aria-disabled') !== 'true') callback();
  });
}

/**
 * A function that calls back once before the next frame is drawn, however often it is called until then.
 * @param {() => void} callback
 */
export function oncePerFrame(callback) {
  let isWaiting = false;
  return () => {
    if (isWaiting) return;
    isWaiting = true;
    requestAnimationFrame(() => {
      isWaiting = false;
      callback();
    });
  };
}

/**
 * Makes a canvas as sharp as the screen. @returns its context, in CSS pixels, cleared; null while it is not shown.
 * @param {HTMLCanvasElement} canvas
 * @param {CanvasRenderingContext2DSettings} [settings]
 */
export function sharpContext(canvas, settings) {
  const { clientWidth, clientHeight } = canvas;
  const context = canvas.getContext('2d', settings);
  if (context === null || clientWidth === 0 || clientHeight === 0) return null;
  const ratio = window.devicePixelRatio;
  const [width, height] = [Math.round(clientWidth * ratio), Math.round(clientHeight * ratio)];
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, clientWidth, clientHeight);
  return context;
}
