import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** An IDX file of unsigned bytes: magic number, dimensions, bytes. */
export function idx(dimensions: readonly number[], bytes: Uint8Array): Buffer {
  const header = Buffer.alloc(4 + 4 * dimensions.length);
  [0x0800 + dimensions.length, ...dimensions].forEach((value, i) => header.writeUInt32BE(value, 4 * i));
  return Buffer.concat([header, bytes]);
}

/** `count` images that say which digit they are: a bar whose height is the digit, over a faint pattern. */
export function images(count: number): Buffer {
  const bytes = Uint8Array.from({ length: count * 784 }, (_, i) => {
    const image = Math.floor(i / 784);
    const row = Math.floor((i % 784) / 28);
    return row < 2 + 2 * (image % 10) ? 200 + (i % 50) : (i * 7 + image) % 23;
  });
  return idx([count, 28, 28], bytes);
}

export function labels(count: number): Buffer {
  return idx(
    [count],
    Uint8Array.from({ length: count }, (_, i) => i % 10),
  );
}

/** The four files of a small MNIST, some of them perhaps replaced (null: left out). */
export function writeDataset(folder: string, replaced: Readonly<Record<string, Buffer | null>> = {}): void {
  const files = {
    'train-images-idx3-ubyte': images(200),
    'train-labels-idx1-ubyte': labels(200),
    't10k-images-idx3-ubyte': images(50),
    't10k-labels-idx1-ubyte': labels(50),
    ...replaced,
  };
  mkdirSync(folder, { recursive: true });
  for (const [name, contents] of Object.entries(files)) {
    if (contents !== null) writeFileSync(join(folder, name), contents);
  }
}
