/** @module gradstep/checkpoint */
export { CheckpointError, type CheckpointErrorCode } from './error';
export type { JsonValue } from './json';
export { latestCheckpoint, type CheckpointPlace } from './latest';
export type { CheckpointObject } from './manifest';
export type { CheckpointContents, CheckpointPart, CheckpointParts, KnownParts } from './parts';
export type { CheckpointPath } from './path';
export { restoreCheckpoint, type RestoreCheckpointOptions, type RestoredCheckpoint } from './restore';
export { saveCheckpoint, type SaveCheckpointOptions, type SavedCheckpoint } from './save';
export { fromTorch, toTorch, type ToTorchOptions, type TorchParts, type TorchSource, type TorchTensor } from './torch';
