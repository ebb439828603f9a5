/** What is wrong with a file; `code` of a `SafetensorsError`. */
export type SafetensorsErrorCode =
  | 'header-too-small'
  | 'header-too-large'
  | 'header-incomplete'
  | 'invalid-utf8'
  | 'invalid-start'
  | 'invalid-json'
  | 'duplicate-key'
  | 'invalid-metadata'
  | 'invalid-tensor'
  | 'unknown-dtype'
  | 'invalid-offsets'
  | 'size-mismatch'
  | 'misaligned'
  | 'overflow'
  | 'data-incomplete'
  | 'trailing-bytes'
  | 'not-a-file'
  | 'file-changed'
  | 'no-such-tensor'
  | 'wrong-dtype';

/** Where in which file something is wrong, as far as that is known. */
export interface SafetensorsErrorPlace {
  /** The tensor's name. */
  readonly tensor?: string | undefined;
  /** The byte of the file, counted from 0. */
  readonly offset?: number | undefined;
  /** The file's path. */
  readonly path?: string | undefined;
}

/**
 * A file that is not what the format says, or has not the tensor that was asked for. Wrong arguments are a TypeError or a
 * RangeError, and what the system says of files (no such file, no permission) comes as Node has it.
 */
export class SafetensorsError extends Error {
  override readonly name = 'SafetensorsError';
  /** The tensor that it is about, of a name of more than 1,000 bytes the start; undefined where it is about none. */
  readonly tensor: string | undefined;
  /** The byte of the file that it is about, counted from 0; undefined where it is about none. */
  readonly offset: number | undefined;
  /** The file's path; undefined for bytes in memory. */
  readonly path: string | undefined;
  readonly #reason: string;

  /** Of a fault that was found; its parts become the message. */
  constructor(
    /** What is wrong, for programs. */
    readonly code: SafetensorsErrorCode,
    reason: string,
    { tensor, offset, path }: SafetensorsErrorPlace = {},
  ) {
    const file = path === undefined ? '' : `${path}: `;
    const subject = tensor === undefined ? '' : `tensor ${quoted(tensor)}: `;
    super(`${file}${subject}${reason}${offset === undefined ? '' : ` (byte ${offset})`}`);
    this.tensor = tensor;
    this.offset = offset;
    this.path = path;
    this.#reason = reason;
  }

  /**
   * The same of a file.
   * @internal
   */
  of(path: string): SafetensorsError {
    return new SafetensorsError(this.code, this.#reason, { tensor: this.tensor, offset: this.offset, path });
  }
}

/** A name from a file as a message shows it: on one line, and not all of a megabyte. */
export function quoted(name: string): string {
  const text = JSON.stringify(name.length > 60 ? `${name.slice(0, 57)}...` : name);
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (unseen) => `\\u{${unseen.codePointAt(0)!.toString(16)}}`);
}
