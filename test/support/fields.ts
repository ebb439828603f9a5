/** The fields of an object that must all be used: what a reader does not know is an error, not ignored. */
export class Fields {
  private readonly unread: Set<string>;

  constructor(
    private readonly what: string,
    private readonly object: Readonly<Record<string, unknown>>,
  ) {
    this.unread = new Set(Object.keys(object));
  }

  /** The value of a field that may be missing. */
  optional<T>(key: string): T | undefined {
    this.unread.delete(key);
    return this.object[key] as T | undefined;
  }

  required<T>(key: string): T {
    if (!(key in this.object)) throw new Error(`${this.what} has no ${key}`);
    return this.optional<T>(key)!;
  }

  /** A field that is an object, empty where it is missing. */
  fields(key: string): Fields {
    return new Fields(`${this.what}.${key}`, this.optional<Record<string, unknown>>(key) ?? {});
  }

  keys(): string[] {
    return Object.keys(this.object);
  }

  /** @throws Error when there are fields that nobody has asked for. */
  done(): void {
    if (this.unread.size > 0)
      throw new Error(`${this.what} has ${[...this.unread].join(', ')}, which is not understood`);
  }
}
