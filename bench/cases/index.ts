import type { Case } from '../bench';
import { adam } from './adam';
import { attention } from './attention';
import { checkpoint } from './checkpoint';
import { clip } from './clip';
import { compile } from './compile';
import { conv } from './conv';
import { eventLoop } from './event-loop';
import { gemm } from './gemm';
import { gptMemory } from './gpt-memory';
import { growth } from './growth';
import { lstm } from './lstm';
import { memory } from './memory';
import { metrics } from './metrics';
import { mnist } from './mnist';
import { models } from './models';
import { mpi } from './mpi';
import { random } from './random';
import { rows } from './rows';
import { rules } from './rules';
import { sparse } from './sparse';
import { startup } from './startup';
import { tensorboard } from './tensorboard';
import { tfjs } from './tfjs';
import { tfjsFit } from './tfjs-fit';
import { threads } from './threads';
import { workers } from './workers';

/** In the order they run: memory first, while the heap is small. */
export const cases: readonly Case[] = [
  memory,
  startup,
  adam,
  clip,
  threads,
  workers,
  mpi,
  mnist,
  compile,
  models,
  gptMemory,
  gemm,
  conv,
  rows,
  attention,
  lstm,
  sparse,
  eventLoop,
  random,
  rules,
  tensorboard,
  metrics,
  checkpoint,
  tfjs,
  tfjsFit,
  growth,
];
