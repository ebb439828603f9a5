import { readShape } from './fields';
import type { SafetensorsInfo } from './header';
import type { TensorPlaces } from './header-layout';
import { LazyMap } from './lazy-map';
import { NameTable } from './name-table';
import type { Scanner } from './scanner';
import { sizeOf } from './sizes';

/** The tensors of a header, which stay in it until somebody asks for them. */
export class TensorMap extends LazyMap<SafetensorsInfo> {
  readonly size: number;
  private readonly names: NameTable;

  /**
   * @param places of what has been, or is to be, found to be right.
   * @param fail is told of a name that is there twice.
   */
  constructor(
    private readonly scanner: Scanner,
    private readonly places: TensorPlaces,
    fail: (at: number) => never,
  ) {
    super();
    const { count, names } = places.columns;
    this.size = count;
    this.names = new NameTable(scanner.text, count);
    for (let i = 0; i < count; i++) if (!this.names.add(names[i]!)) fail(names[i]!);
  }

  override get(name: string): SafetensorsInfo | undefined {
    const at = this.names.find(name);
    return at < 0 ? undefined : this.info(this.places.columns.named(at), name);
  }

  override has(name: string): boolean {
    return this.names.find(name) >= 0;
  }

  override *keys(): Generator<string, undefined> {
    for (let i = 0; i < this.size; i++) yield this.nameOf(this.at(i));
    return undefined;
  }

  override *values(): Generator<SafetensorsInfo, undefined> {
    for (let i = 0; i < this.size; i++) yield this.info(this.at(i), this.nameOf(this.at(i)));
    return undefined;
  }

  override *entries(): Generator<[string, SafetensorsInfo], undefined> {
    for (const info of this.values()) yield [info.name, info];
    return undefined;
  }

  /** Which tensor has the nth elements. */
  private at(n: number): number {
    return this.places.order?.[n] ?? n;
  }

  private nameOf(i: number): string {
    return this.scanner.text.string(this.places.columns.names[i]!);
  }

  private info(i: number, name: string): SafetensorsInfo {
    const { columns, dataStart } = this.places;
    const [begin, end] = [columns.begins[i]!, columns.ends[i]!];
    this.scanner.position = columns.shapes[i]!;
    const shape = Object.freeze(readShape(this.scanner));
    const byteOffset = dataStart + begin;
    return Object.freeze({
      ...{ name, dtype: columns.dtype(i), shape, size: sizeOf(shape)! },
      ...{ byteLength: end - begin, byteOffset },
    });
  }
}
