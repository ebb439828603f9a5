import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Disk } from '../../lib/checkpoint/disk';

// A disk in memory of which power may go at any moment. What was not synced may then be there in any part: bytes of files by
// prefixes and holes of zeros, names of folders one by one.

interface MemoryFile {
  bytes: Buffer;
  synced: Buffer;
}
type Node = MemoryFile | MemoryFolder;
interface MemoryFolder {
  /** What a running system sees. */
  readonly names: Map<string, Node>;
  /** What is on the disk. */
  synced: Map<string, Node>;
}

const isFolder = (node: Node): node is MemoryFolder => 'names' in node;
const newFolder = (): MemoryFolder => ({ names: new Map(), synced: new Map() });

/** Says for each thing that may or may not be lost whether it is. */
export type IsLost = () => boolean;

export class LosingDisk implements Disk {
  private readonly top = newFolder();
  /** Operations so far. */
  operations = 0;
  /** Fails with this when so many operations have been made: the process is no more. */
  endsAfter = Infinity;

  private tick(): void {
    if (this.operations >= this.endsAfter) throw new Error('power is gone');
    this.operations++;
  }

  private find(path: string): Node {
    let node: Node = this.top;
    for (const name of path.split('/').filter((part) => part !== '')) {
      const next: Node | undefined = isFolder(node) ? node.names.get(name) : undefined;
      if (next === undefined) throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' });
      node = next;
    }
    return node;
  }

  private folder(path: string): MemoryFolder {
    const node = this.find(path);
    if (!isFolder(node)) throw new Error(`ENOTDIR: ${path}`);
    return node;
  }

  list(folder: string): Promise<string[]> {
    return Promise.resolve([...this.folder(folder).names.keys()]);
  }

  ensureFolder(path: string): Promise<void> {
    let node = this.top;
    for (const name of path.split('/').filter((part) => part !== '')) {
      const next = node.names.get(name) ?? newFolder();
      node.names.set(name, next);
      node.synced.set(name, next);
      node = next as MemoryFolder;
    }
    return Promise.resolve();
  }

  async makeFolder(path: string): Promise<void> {
    await Promise.resolve();
    this.tick();
    this.folder(dirname(path)).names.set(basename(path), newFolder());
  }

  async create(path: string) {
    await Promise.resolve();
    this.tick();
    const file: MemoryFile = { bytes: Buffer.alloc(0), synced: Buffer.alloc(0) };
    this.folder(dirname(path)).names.set(basename(path), file);
    return {
      write: async (bytes: Uint8Array) => {
        await Promise.resolve();
        this.tick();
        file.bytes = Buffer.concat([file.bytes, bytes]);
      },
      sync: async () => {
        await Promise.resolve();
        this.tick();
        file.synced = file.bytes;
      },
      close: () => Promise.resolve(),
    };
  }

  async syncFolder(path: string): Promise<void> {
    await Promise.resolve();
    this.tick();
    const folder = this.folder(path);
    folder.synced = new Map(folder.names);
  }

  async rename(from: string, to: string): Promise<void> {
    await Promise.resolve();
    this.tick();
    const node = this.find(from);
    this.folder(dirname(from)).names.delete(basename(from));
    this.folder(dirname(to)).names.set(basename(to), node);
  }

  async remove(path: string): Promise<void> {
    await Promise.resolve();
    this.tick();
    const folder = this.folder(dirname(path));
    const node = folder.names.get(basename(path));
    // One name after the other.
    if (node !== undefined && isFolder(node)) for (const name of [...node.names.keys()]) node.names.delete(name);
    folder.names.delete(basename(path));
  }

  age(): Promise<number> {
    return Promise.resolve(0);
  }

  /** Writes what is left when power goes now into a real folder. */
  materialize(folder: string, at: string, isLost: IsLost): void {
    write(this.folder(folder), at, isLost);
  }
}

function write(folder: MemoryFolder, at: string, isLost: IsLost): void {
  mkdirSync(at, { recursive: true });
  const names = new Set([...folder.names.keys(), ...folder.synced.keys()]);
  for (const name of names) {
    const [now, then] = [folder.names.get(name), folder.synced.get(name)];
    const node = now === then || !isLost() ? now : then;
    if (node === undefined) continue;
    if (isFolder(node)) write(node, join(at, name), isLost);
    else writeFileSync(join(at, name), contents(node, isLost));
  }
}

/** Of bytes that are not on the disk any may be zeros, and any end may be missing. */
function contents({ bytes, synced }: MemoryFile, isLost: IsLost): Buffer {
  if (bytes.equals(synced)) return synced;
  const rest = Buffer.from(bytes.subarray(synced.length));
  const half = rest.length >> 1;
  if (isLost()) rest.fill(0, 0, half);
  if (isLost()) rest.fill(0, half);
  return Buffer.concat([synced, isLost() ? rest.subarray(0, half) : rest]);
}
