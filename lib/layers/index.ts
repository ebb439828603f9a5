/** @module gradstep/layers */
export { VariableHolder, type CallOptions, type Layer, type LayerLike, type LayerOptions } from './layer';
export { BatchNorm, batchNorm, type BatchNormLayerOptions } from './batch-norm';
export { Conv2d, conv2d, type Conv2dLayerOptions } from './conv2d';
export { Dense, dense, type DenseOptions } from './dense';
export { Embedding, embedding, type EmbeddingOptions } from './embedding';
export { dropout, flatten } from './functions';
export { LayerNorm, layerNorm, type LayerNormLayerOptions } from './layer-norm';
export { Lstm, lstm, type LstmLayerOptions } from './lstm';
export { MultiHeadAttention, multiHeadAttention, type MultiHeadAttentionOptions } from './multi-head-attention';
export { Sequential, sequential } from './sequential';
