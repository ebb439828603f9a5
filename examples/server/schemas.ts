// What bodies of requests must be. Fastify checks them before a handler sees them; numbers in JSON are finite, but for 1e999.
import { classCount, inputSize } from './model';

/** As many examples, or rows, in one request: it is read in one go, while others wait. */
export const mostRows = 64;
/** In bytes: enough for so many rows in full precision. */
export const bodyLimit = 2 ** 21;

const row = {
  type: 'array',
  minItems: inputSize,
  maxItems: inputSize,
  items: { type: 'number', minimum: 0, maximum: 1 },
} as const;

export const examplesBody = {
  type: 'object',
  required: ['examples'],
  additionalProperties: false,
  properties: {
    examples: {
      type: 'array',
      minItems: 1,
      maxItems: mostRows,
      items: {
        type: 'object',
        required: ['x', 'y'],
        additionalProperties: false,
        properties: { x: row, y: { type: 'integer', minimum: 0, maximum: classCount - 1 } },
      },
    },
  },
} as const;

export const predictBody = {
  type: 'object',
  required: ['x'],
  additionalProperties: false,
  properties: { x: { type: 'array', minItems: 1, maxItems: mostRows, items: row } },
} as const;

export const restoreBody = {
  type: 'object',
  nullable: true,
  additionalProperties: false,
  properties: { step: { type: 'integer', minimum: 0 } },
} as const;

/** Requests that say nothing may come with a body all the same, as long as it says nothing. */
export const emptyBody = { type: 'object', nullable: true, additionalProperties: false, properties: {} } as const;
