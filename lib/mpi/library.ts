import type { MpiWorld } from '../native';

/** Which MPI a communicator uses. */
export interface MpiLibrary {
  /**
   * Whose binary interface it has: that of Open MPI, that of MPICH, which Intel MPI and others have too, or the standard's of
   * MPI 5.
   */
  readonly family: 'openmpi' | 'mpich' | 'standard';
  /** The file. */
  readonly path: string;
  /** What it says of itself. */
  readonly version: string;
}

export function libraryOf({ family, path, version }: MpiWorld): MpiLibrary | null {
  return family === undefined ? null : Object.freeze({ family, path: path!, version: version! });
}
