// What a rank knows of itself.
import { mpi } from 'gradstep/mpi';

const options = JSON.parse(process.argv[2] ?? '{}');
try {
  const { rank, size, localRank, localSize, hostname, hostnames, library } = await mpi.init(options);
  console.log(JSON.stringify({ rank, size, localRank, localSize, hostname, hostnames, library }));
} catch (error) {
  console.log(`${error.name}: ${error.message}`);
  process.exitCode = 1;
}
