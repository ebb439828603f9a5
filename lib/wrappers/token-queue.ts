type Give = (owner: number, token: number) => void;

/** Tokens for those who come for one; who finds none waits for his turn. */
export class TokenQueue {
  private readonly queue: number[];
  private readonly waiting: number[] = [];

  constructor(tokens: readonly number[]) {
    this.queue = [...tokens];
  }

  get tokens(): readonly number[] {
    return [...this.queue];
  }

  isWaiting(owner: number): boolean {
    return this.waiting.includes(owner);
  }

  /** Gives the owner the first token, now or when it comes. */
  take(owner: number, give: Give): void {
    this.waiting.push(owner);
    this.match(give);
  }

  put(tokens: readonly number[], give: Give): void {
    this.queue.push(...tokens);
    this.match(give);
  }

  private match(give: Give): void {
    while (this.waiting.length > 0 && this.queue.length > 0) give(this.waiting.shift()!, this.queue.shift()!);
  }
}
