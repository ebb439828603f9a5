// Which library is used, and what is said where there is none that can be.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../scripts/files.mjs';
import { expect, expectMatch, folder, launch, runAlone, runProgram } from './kit.mjs';

const nothing = join(folder, 'nothing.so');
const noLibrary = join(folder, 'no-library.so');
const openMpi = 'libmpi.so.40';
const mpich = 'libmpich.so.12';
const named = (library) => ({ env: { GRADSTEP_MPI_LIB: library } });

export function tests() {
  return {
    'without mpirun there is one rank, and no library is needed': async () => {
      const result = await runAlone('info.mjs');
      expect(result.status === 0, 'it works', result);
      const info = JSON.parse(result.output);
      expect(info.rank === 0 && info.size === 1 && info.library === null, 'it is alone', result);
      const calls = await runAlone('collectives.mjs', { args: [3, 20] });
      expectMatch(calls, /rank 0 of 1: \d+ checks/);
    },
    'a library that is named is used without mpirun, too': async () => {
      const result = await runAlone('info.mjs', named(openMpi));
      expect(result.status === 0, 'it works', result);
      expect(
        JSON.parse(result.output.trim().split('\n').at(-1)).library.family === 'openmpi',
        'it is that one',
        result,
      );
    },
    'a library that is not there is an error that says what to do': async () => {
      const result = await runAlone('info.mjs', named(nothing));
      expect(result.status === 1, 'it is an error', result);
      expectMatch(result, /Error: the MPI library that GRADSTEP_MPI_LIB names cannot be used/);
      expectMatch(result, new RegExp(`${nothing}: not found`));
      expectMatch(result, /apt-get install openmpi-bin, or: apt-get install mpich/);
    },
    'nor is what is no library': async () => {
      writeFileSync(noLibrary, 'no library');
      expectMatch(
        await runAlone('info.mjs', named(noLibrary)),
        /no-library\.so: .*(invalid ELF header|file too short)/,
      );
      expectMatch(await runAlone('info.mjs', named('libm.so.6')), /libm\.so\.6: it is no MPI library/);
    },
    'a process of mpirun that finds no library says where it has looked': async () => {
      if (process.getuid() !== 0) return 'libraries are hidden by root only';
      const hide =
        'for f in $(readlink -f /usr/lib/*/libmpi*.so* | sort -u); do mount --bind /dev/null "$f"; done; exec "$@"';
      const program = join(root, 'test/mpi/programs/info.mjs');
      const result = await runProgram('unshare', ['-m', 'sh', '-ec', hide, 'sh', process.execPath, program], {
        env: { OMPI_COMM_WORLD_SIZE: '2' },
      });
      if (/unshare|mount:/.test(result.output)) return 'no mounts of its own here';
      expect(result.status === 1, 'it is an error', result);
      const said =
        /as one of several \(OMPI_COMM_WORLD_SIZE is set\), and no MPI library of Open MPI's mpirun was found/;
      expectMatch(result, said);
      expectMatch(
        result,
        /libmpi\.so\.40: .*\n[\s\S]*libmpi_abi\.so\.0: not found\n[\s\S]*apt-get install openmpi-bin\n/,
      );
      return undefined;
    },
    'a library of the other MPI than mpirun is an error on every rank, not so many ranks of 1': async () => {
      const wrong = await launch('openmpi', 2, 'info.mjs', named(mpich));
      expect(wrong.status !== 0, 'it is an error', wrong);
      expectMatch(
        wrong,
        /libmpich\.so\.12: it is 'MPICH.*', and this process was started by Open MPI's mpirun \(OMPI_COMM_WORLD_SIZE\)/,
      );
      const other = await launch('mpich', 2, 'info.mjs', named(openMpi));
      expect(other.status !== 0, 'it is an error', other);
      expectMatch(
        other,
        /it is 'Open MPI.*', and this process was started by MPICH's mpirun or a relative \(PMI_RANK\)/,
      );
      const shim = await launch('openmpi', 2, 'info.mjs', named(join(folder, 'libmpi_abi.so.0')));
      expectMatch(shim, /libmpi_abi\.so\.0: it is 'MPICH behind/);
    },
    'a launcher whose ranks its library does not know is an error': async () => {
      const env = { PMIX_RANK: '1', SLURM_STEP_ID: '0', SLURM_STEP_NUM_TASKS: '4', GRADSTEP_MPI_LIB: mpich };
      const result = await runAlone('info.mjs', { env });
      expect(result.status === 1, 'it is an error', result);
      expectMatch(
        result,
        /one of 4 that were started together \(PMIX_RANK\), and its MPI library says that there is 1/,
      );
      const bare = { SLURM_STEP_ID: '0', SLURM_STEP_NUM_TASKS: '4', SLURM_PROCID: '1' };
      expectMatch(await runAlone('info.mjs', { env: bare }), /give it --mpi=pmix or --mpi=pmi2/);
    },
    'options that are wrong are refused before anything is looked for': async () => {
      const of = (options) => runAlone('info.mjs', { args: [JSON.stringify(options)] });
      expectMatch(await of({ timeout: 0 }), /RangeError: timeout must be a number of seconds above 0, got 0/);
      expectMatch(await of({ warn: 3 }), /TypeError: options: there is no 'warn'/);
    },
  };
}
