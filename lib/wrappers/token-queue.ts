type Give = (owner: number, token: number) => void;

/** Tokens, first come first served: an owner who comes when there is none waits, and gets one that is put in later. */
export class TokenQueue {
  private readonly queue: number[];
  private readonly waiting: number[];

  /** @param waiting owners who wait for a token: none, unless there are no tokens. */
  constructor(tokens: readonly number[], waiting: readonly number[] = []) {
    this.queue = [...tokens];
    this.waiting = [...waiting];
  }

  get tokens(): readonly number[] {
    return [...this.queue];
  }

  /** Owners who wait for a token, first come first. */
  get owners(): readonly number[] {
    return [...this.waiting];
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
