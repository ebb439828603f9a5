/** A point of the curve for each row, from the one that is thought most likely on: [false positives, true positives], as parts of all. */
export function rocOf(scores: ArrayLike<number>, labels: ArrayLike<number>): [number, number][] {
  const order = Array.from(scores, (_, i) => i).sort((a, b) => scores[b]! - scores[a]!);
  const positives = Array.from(labels).filter((label) => label === 1).length;
  const negatives = labels.length - positives;
  const points: [number, number][] = [[0, 0]];
  let [right, wrong] = [0, 0];
  order.forEach((row, i) => {
    if (labels[row] === 1) right++;
    else wrong++;
    // Rows of the same score are one point: in no order of theirs is there anything to be seen.
    const next = order[i + 1];
    if (next === undefined || scores[next] !== scores[row]) points.push([wrong / negatives, right / positives]);
  });
  return points;
}

/** The area under the curve: how often a row with label 1 has a higher score than one with 0. */
export function areaUnder(points: readonly (readonly [number, number])[]): number {
  return points.slice(1).reduce((area, [x, y], i) => {
    const [left, below] = points[i]!;
    return area + ((x - left) * (y + below)) / 2;
  }, 0);
}

/** The mean of -ln of what was thought of the label, in nats. */
export function logLoss(probabilities: ArrayLike<number>, labels: ArrayLike<number>): number {
  const each = Array.from(labels, (label, i) => {
    const p = Math.min(1 - 1e-7, Math.max(1e-7, probabilities[i]!));
    return -Math.log(label === 1 ? p : 1 - p);
  });
  return each.reduce((sum, loss) => sum + loss, 0) / each.length;
}
