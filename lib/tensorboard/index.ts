/** @module gradstep/tensorboard */
export { SummaryWriter, type ImageOptions } from './writer';
export type { SummaryWriterOptions } from './settings';
export { histogramOf, type Histogram } from './histogram';
export { readEvents, type ReadEventsOptions } from './reader';
export type { ReadEvent, ReadHistogram, ReadValue } from './read-event';
export type { HistogramInput, ScalarInput, WholeNumbers } from './values';
export type { ImageInput } from './pixels';
