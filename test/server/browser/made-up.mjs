// Numbers such as a run has, without one; the same each time.

/** A generator of numbers from 0 to 1. */
export function randomFrom(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A run's points, one for each 5 steps, for ever. */
export function* madeUpRun(start = Date.now() - 60_000) {
  const random = randomFrom(7);
  for (let step = 5; ; step += 5) {
    const noise = random() + random() + random() - 1.5;
    const loss = 0.04 + 2.2 * Math.exp(-step / 180) + 0.25 * Math.exp(-step / 2500);
    yield {
      step,
      loss: loss * Math.exp(0.35 * noise),
      gradientNorm: (0.3 + 1.6 * Math.exp(-step / 900)) * Math.exp(0.45 * noise) * (random() < 0.02 ? 3 : 1),
      clipNorm: 1.5,
      learningRate: 0.002 * Math.min(1, step / 200) * Math.max(0.05, 1 - step / 20_000),
      examplesPerSecond: 61_000 + 4_000 * noise,
      time: start + step * 12,
    };
  }
}

/** Histograms of variables that spread out as the run goes on. */
export function histograms(step, variables) {
  const spread = 0.03 + 0.05 * (1 - Math.exp(-step / 1500));
  const of = (width) => variables.map(({ name }, i) => bell(name, width * (1 + 0.3 * i), 0.1 * width * i));
  return { step, weights: of(spread), gradients: of(0.004 * Math.exp(-step / 2000) + 0.0006) };
}

function bell(name, width, centre) {
  const n = 60;
  const limits = Array.from({ length: n + 1 }, (_, i) => centre + width * 8 * (i / n - 0.5));
  const counts = Array.from({ length: n }, (_, i) => {
    const at = 8 * ((i + 0.5) / n - 0.5);
    return Math.round(10_000 * Math.exp((-at * at) / 2));
  });
  return { name, limits, counts };
}
