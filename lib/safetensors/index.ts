/** @module gradstep/safetensors */
export { safetensorsDTypes, type SafetensorsArray, type SafetensorsArrays, type SafetensorsDType } from './dtypes';
export { SafetensorsError, type SafetensorsErrorCode, type SafetensorsErrorPlace } from './error';
export { openSafetensors, SafetensorsFile } from './file';
export { bf16ToFloat32, f16ToFloat32, float32ToBf16, float32ToF16 } from './half';
export type { SafetensorsInfo } from './header';
export { readSafetensors, type SafetensorsIncoming, type SafetensorsTensor } from './incoming';
export type { SafetensorsWriteOptions } from './layout';
export type {
  SafetensorsData,
  SafetensorsDescription,
  SafetensorsElements,
  SafetensorsSource,
  SafetensorsSourceObject,
  SafetensorsSources,
} from './named-tensors';
export { parseSafetensors, SafetensorsBytes } from './parse';
export type { SafetensorsPath } from './path';
export type { SafetensorsFloatOptions, SafetensorsReadOptions } from './selection';
export { serializeSafetensors, streamSafetensors, type SafetensorsStream } from './serialize';
export { writeSafetensors, type SafetensorsFileOptions, type SafetensorsSink } from './write';
