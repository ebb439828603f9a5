// Starts examples/mpi.ts by mpirun, where there is one: a rank for each CPU, or as many as GRADSTEP_RANKS says.
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

const program = ['build/ts/examples/mpi.js', ...process.argv.slice(2)];
const ranks = process.env.GRADSTEP_RANKS ?? `${Math.min(8, availableParallelism())}`;
const { stdout = '', status } = spawnSync('mpirun', ['--version'], { encoding: 'utf8' });
if (status !== 0) console.log('There is no mpirun (apt-get install openmpi-bin, or mpich): rank 0 of 1.');
// Open MPI refuses to run as root, as in a container, unless it is told that this is meant.
const asRoot = stdout.includes('Open MPI') && process.getuid?.() === 0 ? ['--allow-run-as-root'] : [];
const command = status === 0 ? ['mpirun', ...asRoot, '-n', ranks, process.execPath] : [process.execPath];
process.exitCode = spawnSync(command[0], [...command.slice(1), ...program], { stdio: 'inherit' }).status ?? 1;
