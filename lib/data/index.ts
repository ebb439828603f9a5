export { batches, type BatchesOptions } from './batches';
export type { Column, Columns, Row } from './rows';
export {
  batched,
  prefetched,
  shuffled,
  type Batch,
  type BatchedOptions,
  type ShuffledOptions,
  type Source,
} from './streams';
