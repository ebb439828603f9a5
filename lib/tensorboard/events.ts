import type { Encoder } from './encoder';
import type { Histogram } from './histogram';
import type { Png } from './png';

// Events as bytes: the numbers of fields in event.proto, summary.proto, histogram.proto, tensor.proto and types.proto of
// tensorflow/core. What is last in a message is written first; see Encoder.

export const fileVersion = 'brain.Event:2';

const stringType = 7; // DT_STRING
const tensorClass = 2; // DATA_CLASS_TENSOR

/** What a summary shows under a tag. */
export type Value = (encoder: Encoder, tag: string) => void;

export const scalarValue =
  (value: number): Value =>
  (encoder, tag) => {
    encoder.float(2, value); // simple_value
    encoder.string(1, tag);
  };

export const histogramValue =
  (histogram: Histogram): Value =>
  (encoder, tag) => {
    encoder.message(5, () => {
      encoder.doubles(7, histogram.bucket);
      encoder.doubles(6, histogram.bucketLimit);
      const { min, max, num, sum, sumSquares } = histogram;
      [min, max, num, sum, sumSquares].forEach((_, i, numbers) => {
        const field = numbers.length - i;
        const value = numbers[field - 1]!;
        if (!Object.is(value, 0)) encoder.double(field, value);
      });
    });
    encoder.string(1, tag);
  };

export const imageValue =
  ({ height, width, channels, bytes }: Png): Value =>
  (encoder, tag) => {
    encoder.message(4, () => {
      encoder.bytes(4, bytes);
      encoder.int64(3, channels); // the color spaces of gray, RGB and RGBA are called 1, 3 and 4
      encoder.int64(2, width);
      encoder.int64(1, height);
    });
    encoder.string(1, tag);
  };

export const textValue =
  (text: string): Value =>
  (encoder, tag) => {
    encoder.message(9, () => {
      encoder.int64(4, tensorClass);
      encoder.message(1, () => encoder.string(1, 'text')); // the plugin, whose own data are defaults
    });
    encoder.message(8, () => {
      encoder.string(8, text);
      encoder.message(2, () => undefined); // no dimensions
      encoder.int64(1, stringType);
    });
    encoder.string(1, tag);
  };

function encodeTime(encoder: Encoder, wallTime: number, step: number): Uint8Array {
  if (step !== 0) encoder.int64(2, step);
  if (!Object.is(wallTime, 0)) encoder.double(1, wallTime);
  return encoder.written;
}

/** The event that a file starts with. */
export function versionEvent(encoder: Encoder, wallTime: number): Uint8Array {
  encoder.clear();
  encoder.string(3, fileVersion);
  return encodeTime(encoder, wallTime, 0);
}

/** An event with values by their tags. The bytes are the encoder's, until its next event. */
export function summaryEvent(
  encoder: Encoder,
  values: readonly (readonly [tag: string, value: Value])[],
  wallTime: number,
  step: number,
): Uint8Array {
  encoder.clear();
  encoder.message(5, () => {
    for (let i = values.length - 1; i >= 0; i--) {
      const [tag, value] = values[i]!;
      encoder.message(1, () => value(encoder, tag));
    }
  });
  return encodeTime(encoder, wallTime, step);
}
