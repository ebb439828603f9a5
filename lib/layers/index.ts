/** @module gradstep/layers */
export { VariableHolder, type CallOptions, type Layer, type LayerLike, type LayerOptions } from './layer';
export { BatchNorm, batchNorm, type BatchNormLayerOptions } from './batch-norm';
export { Conv2d, conv2d, type Conv2dLayerOptions } from './conv2d';
export { Conv2dTranspose, conv2dTranspose, type Conv2dTransposeLayerOptions } from './conv2d-transpose';
export { Dense, dense, type DenseOptions } from './dense';
export { Embedding, embedding, type EmbeddingOptions } from './embedding';
export { activation, avgPool, dropout, flatten, globalAveragePool, maxPool } from './functions';
export { GroupNorm, groupNorm, type GroupNormLayerOptions } from './group-norm';
export { Gru, gru, type GruLayerOptions } from './gru';
export { LayerNorm, layerNorm, type LayerNormLayerOptions } from './layer-norm';
export { Lstm, lstm, type LstmLayerOptions } from './lstm';
export { MultiHeadAttention, multiHeadAttention, type MultiHeadAttentionOptions } from './multi-head-attention';
export { RmsNorm, rmsNorm, type RmsNormLayerOptions } from './rms-norm';
export { Sequential, sequential } from './sequential';
