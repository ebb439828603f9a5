import { LazyMap } from './lazy-map';
import { NameTable } from './name-table';
import { comma, Scanner } from './scanner';

/** Where `__metadata__` lies in a header, how many strings it has. */
export interface MetadataPlace {
  readonly at: number;
  readonly count: number;
}

/** The strings of `__metadata__`, which stay in the header until somebody asks for them. */
export class MetadataMap extends LazyMap<string> {
  readonly size: number;
  private readonly names: NameTable;

  /** @param fail is told of a key that is there twice. */
  constructor(
    private readonly scanner: Scanner,
    private readonly place: MetadataPlace | null,
    fail: (at: number) => never,
  ) {
    super();
    this.size = place?.count ?? 0;
    this.names = new NameTable(scanner.text, this.size);
    for (const [at] of this.places()) if (!this.names.add(at)) fail(at);
  }

  override get(key: string): string | undefined {
    const at = this.names.find(key);
    if (at < 0) return undefined;
    const { scanner } = this;
    scanner.position = at;
    scanner.key('__metadata__');
    return scanner.text.string(scanner.passString('a value of __metadata__'));
  }

  override has(key: string): boolean {
    return this.names.find(key) >= 0;
  }

  override *keys(): Generator<string, undefined> {
    for (const [at] of this.places()) yield this.scanner.text.string(at);
    return undefined;
  }

  override *values(): Generator<string, undefined> {
    for (const [, at] of this.places()) yield this.scanner.text.string(at);
    return undefined;
  }

  override *entries(): Generator<[string, string], undefined> {
    for (const [key, value] of this.places()) yield [this.scanner.text.string(key), this.scanner.text.string(value)];
    return undefined;
  }

  /** Where keys and their values are. */
  private *places(): Generator<readonly [key: number, value: number], undefined> {
    const scanner = new Scanner(this.scanner.text.bytes, (this.place?.at ?? 0) + 1);
    for (let i = 0; i < this.size; i++) {
      const key = scanner.key('__metadata__');
      yield [key, scanner.passString('a value of __metadata__')];
      scanner.takes(comma);
    }
    return undefined;
  }
}
