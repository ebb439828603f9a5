import { compile, ops, random, type Tensor } from 'gradstep';
import { inputSize, ink, type Dataset } from '../mnist/data';
import { toPng } from '../shared/png';
import type { Vae } from './model';

const side = 28;
const columns = 20;
const scale = 1.5;
const margin = 20;
const heading = 28;

/** Lines of `columns` images below each other as one picture, dark on white as they were written. */
function sheet(images: Float32Array): Buffer {
  const lines = images.length / inputSize / columns;
  const pixels = new Uint8Array(columns * side * lines * side);
  for (let i = 0; i < images.length; i++) {
    const image = Math.floor(i / inputSize);
    const [down, across] = [Math.floor((i % inputSize) / side), i % side];
    const y = Math.floor(image / columns) * side + down;
    pixels[y * columns * side + (image % columns) * side + across] = Math.round(255 * (1 - images[i]!));
  }
  return toPng(pixels, columns * side);
}

/** What the decoder makes of [images, latent], from 0 to 1. */
function drawn(model: Vae, z: Float32Array): Float32Array {
  const shape = [z.length / model.latent, model.latent];
  const decode = compile(({ given }) => ops.sigmoid(model.decode(given)), { inputs: { given: { shape } } });
  return decode.runSync({ given: z }).data as Float32Array;
}

/** The middle of what the encoder believes of each image. */
function meansOf(model: Vae, x: Float32Array): Float32Array {
  const shape = [x.length / inputSize, inputSize];
  const encode = compile(({ images }) => model.encode(images).mean, { inputs: { images: { shape } } });
  return encode.runSync({ images: x }).data as Float32Array;
}

/** From the first image of each line to the last in equal steps. */
function between(means: Float32Array, latent: number, lines: number): Float32Array {
  const z = new Float32Array(lines * columns * latent);
  for (let i = 0; i < z.length; i++) {
    const [line, column, d] = [Math.floor(i / latent / columns), Math.floor(i / latent) % columns, i % latent];
    const [from, to] = [means[2 * line * latent + d]!, means[(2 * line + 1) * latent + d]!];
    z[i] = from + ((to - from) * column) / (columns - 1);
  }
  return z;
}

/** A picture in SVG: images and what becomes of them, ways from one to another, and images that are made up. */
export function drawDigits(title: string, model: Vae, { images, count }: Dataset): string {
  const first = Math.min(count, columns);
  const seen = new Float32Array(columns * inputSize);
  for (let i = 0; i < seen.length; i++) seen[i] = images.data[i % (first * inputSize)]! / ink;
  const means = meansOf(model, seen);
  const lines = 4;
  const noise: Tensor = random.normal([6 * columns, model.latent]);
  const parts = [
    { text: 'Images that it has not been trained on', pixels: seen },
    { text: `The same, made of ${model.latent} numbers each`, pixels: drawn(model, means) },
    { text: 'From one image to another', pixels: drawn(model, between(means, model.latent, lines)) },
    { text: 'Made of random numbers', pixels: drawn(model, noise.data as Float32Array) },
  ];
  const width = columns * side * scale;
  let y = 50;
  const shapes = parts.map(({ text, pixels }) => {
    const height = (pixels.length / inputSize / columns) * side * scale;
    const top = y + heading - 8;
    y += heading + height;
    const picture = `data:image/png;base64,${sheet(pixels).toString('base64')}`;
    return `<text x="${margin}" y="${top - 8}" font-size="14">${text}</text>
<image x="${margin}" y="${top}" width="${width}" height="${height}" href="${picture}"/>`;
  });
  const [w, h] = [width + 2 * margin, y + margin];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}" viewBox="0 0 ${w} ${h}" font-family="sans-serif">
<rect width="${w}" height="${h}" fill="#fff"/>
<text x="${w / 2}" y="30" font-size="18" font-weight="bold" text-anchor="middle">${title}</text>
${shapes.join('\n')}
</svg>
`;
}
