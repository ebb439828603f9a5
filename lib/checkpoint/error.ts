/** What is wrong with a checkpoint; `code` of a `CheckpointError`. */
export type CheckpointErrorCode = 'damaged' | 'not-found' | 'version' | 'mismatch' | 'not-saved';

/**
 * A checkpoint that could not be saved, or not restored. Nothing has changed: neither the objects that were to be restored nor
 * the checkpoints that there were. `cause` is what the system or a file's reader said, where it was that.
 */
export class CheckpointError extends Error {
  override readonly name = 'CheckpointError';

  /** @internal */
  constructor(
    /** What is wrong, for programs. */
    readonly code: CheckpointErrorCode,
    message: string,
    /** The checkpoint's folder. */
    readonly path: string,
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
  }
}

/** What was thrown, on one line. */
export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
