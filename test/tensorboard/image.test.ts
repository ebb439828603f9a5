import { expect } from 'chai';
import fc from 'fast-check';
import { tensor, variable } from 'gradstep';
import { SummaryWriter, type ImageInput } from 'gradstep/tensorboard';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { crc32 } from '../../lib/tensorboard/crc';
import { strictValues } from '../support/event-files';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'gradstep-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Decoded {
  readonly width: number;
  readonly height: number;
  readonly colorType: number;
  readonly samples: number[];
}

/** What an image's PNG has, all of which is looked at. */
function decodePng(bytes: Buffer): Decoded {
  expect(bytes.subarray(0, 8).toString('hex')).to.equal('89504e470d0a1a0a');
  const chunks = new Map<string, Buffer>();
  for (let at = 8; at < bytes.length;) {
    const length = bytes.readUInt32BE(at);
    const end = at + 8 + length;
    expect(bytes.readUInt32BE(end)).to.equal(crc32(bytes, at + 4, end));
    chunks.set(bytes.toString('latin1', at + 4, at + 8), bytes.subarray(at + 8, end));
    at = end + 4;
  }
  expect([...chunks.keys()]).to.deep.equal(['IHDR', 'IDAT', 'IEND']);
  const header = chunks.get('IHDR')!;
  expect(header).to.have.lengthOf(13);
  expect([header[8], ...header.subarray(10)]).to.deep.equal([8, 0, 0, 0]);
  const [width, height, colorType] = [header.readUInt32BE(0), header.readUInt32BE(4), header[9]!];
  const data = inflateSync(chunks.get('IDAT')!);
  const line = data.length / height;
  const samples: number[] = [];
  for (let row = 0; row < height; row++) {
    expect(data[row * line]).to.equal(0); // the filter: none
    samples.push(...data.subarray(row * line + 1, (row + 1) * line));
  }
  return { width, height, colorType, samples };
}

/** What the file has for an image. */
async function written(image: ImageInput, shape?: readonly number[]): Promise<Decoded & { colorspace: number }> {
  const writer = new SummaryWriter(folder);
  writer.image('image', image, 1, shape === undefined ? {} : { shape });
  if (ArrayBuffer.isView(image)) image.fill(0); // it is a copy that is compressed
  await writer.close();
  const [value] = strictValues(writer.path);
  const { height, width, colorspace, encoded_image_string: bytes } = value!['image'] as Record<string, unknown>;
  const decoded = decodePng(bytes as Buffer);
  expect([height, width]).to.deep.equal([decoded.height, decoded.width]);
  return { ...decoded, colorspace: colorspace as number };
}

describe('images', () => {
  it('are PNGs of the same bytes', async () => {
    const sizes = fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }), fc.constantFrom(1, 3, 4));
    const images = sizes.chain(([height, width, channels]) => {
      const length = height * width * channels;
      return fc.tuple(fc.constant([height, width, channels]), fc.uint8Array({ minLength: length, maxLength: length }));
    });
    await fc.assert(
      fc.asyncProperty(images, async ([shape, bytes]) => {
        const [height, width, channels] = shape as [number, number, number];
        expect(await written(bytes.slice(), shape)).to.deep.equal({
          height,
          width,
          colorspace: channels,
          colorType: { 1: 0, 3: 2, 4: 6 }[channels],
          samples: [...bytes],
        });
      }),
      { numRuns: 50 },
    );
  });

  it('of floats go from 0 to 1, and no further', async () => {
    const values = [0, 1, 0.5, 1 / 255, -1, 2, NaN, Infinity, -Infinity, 0.0019];
    const expected = [0, 255, 128, 1, 0, 255, 0, 255, 0, 0];
    const shape = [2, 5];
    const inputs: ImageInput[] = [
      tensor(values, shape),
      variable(values, { shape }),
      tensor(Float64Array.from(values), [...shape, 1]),
    ];
    for (const image of inputs) expect((await written(image)).samples).to.deep.equal(expected);
    expect((await written(Float64Array.from(values), shape)).samples).to.deep.equal(expected);
    expect((await written(Uint8ClampedArray.of(1, 2), [1, 2])).samples).to.deep.equal([1, 2]);
  });

  it('have a shape that is one', async () => {
    const writer = new SummaryWriter(folder);
    const bytes = new Uint8Array(12);
    const image = (image: unknown, options?: object) => () => writer.image('image', image as ImageInput, 1, options);
    expect(image(bytes)).to.throw(TypeError, 'needs { shape: [height, width, channels] }');
    expect(image(bytes, { shape: [3, 5] })).to.throw(RangeError, 'image has 12 elements, shape [3, 5] needs 15');
    expect(image(bytes, { shape: [3, 2, 2] })).to.throw(RangeError, '[height, width, 1, 3 or 4]');
    for (const shape of [[12], [], [0, 4], [3, 2, 2, 1]]) expect(image(bytes, { shape })).to.throw(RangeError);
    expect(image([[1]], { shape: [1, 1] })).to.throw(TypeError, 'image must be a Tensor');
    expect(image(bytes, { size: [3, 4] })).to.throw(TypeError, 'size');
    expect(image(tensor([1]))).to.throw(RangeError, 'got [1]');
    await writer.close();
    expect(strictValues(writer.path)).to.deep.equal([]);
  });
});
