import { checkRange, shown } from './checks';
import { version } from './loader/addon';
import { native } from './native';

/** Instruction sets the kernels are compiled for. */
export type Isa = 'avx512' | 'avx2' | 'neon' | 'scalar';

/** What the kernels run on. All of it belongs to the process: every worker thread sees and changes the same. */
export const runtime = {
  /** This package's version. */
  version,

  /** The instruction set in use: the best available one, or what GRADSTEP_ISA says. */
  get isa(): Isa {
    return native.isa() as Isa;
  },

  /** The instruction sets of this machine, best first. */
  get availableIsas(): readonly Isa[] {
    return native.availableIsas() as Isa[];
  },

  /**
   * Switches to another instruction set. Results are the same on all, bit for bit.
   * @throws RangeError for a name that is unknown or not available here.
   */
  useIsa(name: Isa): void {
    if (typeof name !== 'string') throw new TypeError(`isa must be a string, got ${shown(name)}`);
    if (!native.useIsa(name)) {
      throw new RangeError(
        `isa must be one of ${native.availableIsas().join(', ')} on this machine, got ${shown(name)}`,
      );
    }
  },

  /**
   * Threads that share the work, the calling one included. Default: the machine's available parallelism, or what
   * GRADSTEP_THREADS says. Results are the same for any number, bit for bit.
   */
  get threads(): number {
    return native.threads();
  },
  /** @throws RangeError for anything but a whole number from 1 to 256. */
  set threads(n: number) {
    checkRange('threads', n, `a whole number from 1 to ${native.maxThreads}`, (value) => {
      return Number.isInteger(value) && value >= 1 && value <= native.maxThreads;
    });
    native.setThreads(n);
  },
};
