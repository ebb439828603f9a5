import { native } from '../../lib/native';
import { loadAddon } from '../addon';

interface Addon {
  /** @returns the kernels' name, undefined where OpenBLAS is not installed. */
  load(core: string): string | undefined;
  gemm(threads: number, ...product: Product): void;
}

/** out, a, b, m, n, k, transposeA, transposeB: out [m, n] = op(a) [m, k] op(b) [k, n]. */
export type Product = [Float32Array, Float32Array, Float32Array, number, number, number, boolean, boolean];

/** Its kernels for the instruction set that ours use: on Zen 1, say, it would choose others by itself. */
const cores: Readonly<Record<string, string>> = { avx512: 'SkylakeX', avx2: 'Haswell' };

export class OpenBlas {
  private constructor(
    private readonly addon: Addon,
    readonly version: string,
  ) {}

  static load(): Promise<OpenBlas | null> {
    // 2^18 cycles in place of 2^26: its threads would still be spinning when our turn comes.
    process.env['OPENBLAS_THREAD_TIMEOUT'] = '18';
    const addon = loadAddon('openblas') as Addon;
    const version = addon.load(cores[native.isa()] ?? '');
    return Promise.resolve(version === undefined ? null : new OpenBlas(addon, version));
  }

  gemm(threads: number, product: Product): void {
    this.addon.gemm(threads, ...product);
  }
}
