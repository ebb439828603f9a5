import type { Tensor } from '../tensor/tensor';

// Gradients that computeGradients made and a step has used. They stay readable until the next computeGradients, which
// takes their memory for its own: so a training loop allocates nothing, and logging a gradient after the step works.
let spent: Tensor[] = [];

/** Marks a gradient as made by computeGradients, or made from one that was by changing its factor. */
export function markOurs(gradient: Tensor): void {
  gradient.isOurs = true;
}

export function isOurs(gradient: Tensor): boolean {
  return gradient.isOurs;
}

export function markSpent(gradient: Tensor): void {
  if (gradient.isOurs) spent.push(gradient);
}

export function retireSpent(): void {
  if (spent.length === 0) return;
  const gradients = spent;
  spent = [];
  for (const gradient of gradients) {
    gradient.retire(
      'this gradient has been applied, and the next computeGradients took its memory; keep() holds on to it',
    );
  }
}
