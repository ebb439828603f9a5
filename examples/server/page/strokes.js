// How a pen writes the digits, in a square of side 1: for those who cannot draw, or would rather not.

/** @typedef {[number, number]} Spot */
/** @typedef {Spot[]} Stroke */

/**
 * Part of an ellipse. Angles are in turns, 0 to the right, on downwards.
 * @param {number} x
 * @param {number} y
 * @param {number} radiusX
 * @param {number} radiusY
 * @param {number} from
 * @param {number} to
 * @returns {Stroke}
 */
function arc(x, y, radiusX, radiusY, from, to) {
  const parts = 24;
  return Array.from({ length: parts + 1 }, (_, i) => {
    const angle = 2 * Math.PI * (from + ((to - from) * i) / parts);
    return [x + radiusX * Math.cos(angle), y + radiusY * Math.sin(angle)];
  });
}

/** @type {Stroke[][]} */
const digits = [
  [arc(0.5, 0.5, 0.2, 0.3, -0.25, 0.75)],
  [
    [
      [0.42, 0.32],
      [0.54, 0.2],
      [0.5, 0.8],
    ],
  ],
  [[...arc(0.49, 0.37, 0.18, 0.17, -0.46, 0.08), [0.54, 0.58], [0.32, 0.79], [0.72, 0.77]]],
  [[...arc(0.48, 0.35, 0.17, 0.15, -0.42, 0.25), ...arc(0.48, 0.65, 0.2, 0.16, -0.25, 0.42)]],
  [
    [
      [0.42, 0.2],
      [0.3, 0.55],
      [0.72, 0.53],
    ],
    [
      [0.62, 0.28],
      [0.58, 0.82],
    ],
  ],
  [[[0.68, 0.2], [0.4, 0.21], [0.37, 0.46], ...arc(0.48, 0.62, 0.2, 0.18, -0.28, 0.4)]],
  [[[0.6, 0.18], [0.44, 0.34], ...arc(0.5, 0.63, 0.17, 0.17, -0.5, 0.5)]],
  [
    [
      [0.3, 0.23],
      [0.7, 0.22],
      [0.47, 0.82],
    ],
  ],
  [[...arc(0.5, 0.34, 0.15, 0.14, 0.25, -0.75), ...arc(0.5, 0.65, 0.18, 0.17, -0.25, 0.75)]],
  [[...arc(0.5, 0.36, 0.16, 0.16, 0, -1), [0.66, 0.36], [0.6, 0.82]]],
];

/**
 * The strokes of a digit, a little different each time, as by hand.
 * @param {number} digit
 * @param {() => number} [random] from 0 to 1
 * @returns {Stroke[]}
 */
export function write(digit, random = Math.random) {
  const slant = 0.16 * (random() - 0.5);
  const wide = 0.9 + 0.25 * random();
  return digits[digit].map((stroke) => stroke.map(([x, y]) => [0.5 + (x - 0.5) * wide - (y - 0.5) * slant, y]));
}
