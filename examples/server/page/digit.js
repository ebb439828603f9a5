// A drawing as the digits of MNIST are: 28 x 28, the ink in a box of 20 x 20, its centre of mass in the middle.
export const side = 28;
const box = 20;
/** Below this, of 255, a pixel is paper. */
const faintest = 16;

/**
 * @param {ArrayLike<number>} ink from 0 to 255, row by row
 * @param {number} width
 * @param {number} height
 * @returns {number[] | null} `side` rows of pixels from 0 (paper) to 1 (ink); null when nothing is drawn
 */
export function toDigit(ink, width, height) {
  const bounds = boundsOf(ink, width, height);
  if (bounds === null) return null;
  const { left, top, right, bottom } = bounds;
  const scale = Math.max(right - left, bottom - top) / box;
  const { x, y } = centreOfMass(ink, width, bounds);
  const pixels = [];
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const fromX = x + (column - side / 2) * scale;
      const fromY = y + (row - side / 2) * scale;
      pixels.push(meanOf(ink, width, height, fromX, fromY, scale) / 255);
    }
  }
  return pixels;
}

/** @param {ArrayLike<number>} ink @param {number} width @param {number} height */
function boundsOf(ink, width, height) {
  let [left, top, right, bottom] = [width, height, 0, 0];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (ink[y * width + x] < faintest) continue;
      left = Math.min(left, x);
      right = Math.max(right, x + 1);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y + 1);
    }
  }
  return right > left ? { left, top, right, bottom } : null;
}

/** @param {ArrayLike<number>} ink @param {number} width @param {{ left: number, top: number, right: number, bottom: number }} bounds */
function centreOfMass(ink, width, { left, top, right, bottom }) {
  let [mass, sumX, sumY] = [0, 0, 0];
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const weight = ink[y * width + x];
      mass += weight;
      sumX += weight * (x + 0.5);
      sumY += weight * (y + 0.5);
    }
  }
  return { x: sumX / mass, y: sumY / mass };
}

/**
 * The mean of the ink in a square, what is outside of the drawing being paper.
 * @param {ArrayLike<number>} ink
 * @param {number} width
 * @param {number} height
 * @param {number} left
 * @param {number} top
 * @param {number} size
 */
function meanOf(ink, width, height, left, top, size) {
  const [firstX, firstY] = [Math.round(left), Math.round(top)];
  const lastX = Math.max(firstX + 1, Math.round(left + size));
  const lastY = Math.max(firstY + 1, Math.round(top + size));
  let sum = 0;
  for (let y = Math.max(0, firstY); y < Math.min(height, lastY); y++) {
    for (let x = Math.max(0, firstX); x < Math.min(width, lastX); x++) sum += ink[y * width + x];
  }
  return sum / ((lastX - firstX) * (lastY - firstY));
}
