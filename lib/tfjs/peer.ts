/* eslint-disable @typescript-eslint/ban-ts-comment, @typescript-eslint/consistent-type-imports,
   @typescript-eslint/no-redundant-type-constituents -- the types are there or
   not, and both must compile; of the forms that ignore that, only this one reaches the declarations that are published */

// What `model.compile` takes is a class with protected members, which nothing of another origin is to the compiler. So a
// program that has TensorFlow.js's types gets their Optimizer as well; to all others it is nothing more.

import type { TfTensor } from './engine';

/** @ts-ignore */
type Peer = import('@tensorflow/tfjs-core').Optimizer;
/** @ts-ignore */
type Tensor = import('@tensorflow/tfjs-core').Tensor;

// Where there are no such types Peer is `any`, the only type that is also 1.
type IsThere = { peer: Peer } extends { peer: 1 } ? false : true;

/** T, which is an Optimizer to TensorFlow.js's types where they are installed. */
export type AsPeer<T> = IsThere extends true ? Peer & T : T; // theirs first: their methods have their tensors

/** A tensor that is made here: TensorFlow.js's Tensor where its types are installed. */
export type MadeTensor = IsThere extends true ? Tensor : TfTensor;
