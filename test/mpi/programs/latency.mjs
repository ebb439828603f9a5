// How long small and large calls take. Figures, no test.
import { mpi } from 'gradstep/mpi';

const communicator = await mpi.init();
const { rank, size } = communicator;
function measure(name, rounds, f) {
  for (let i = 0; i < Math.ceil(rounds / 5); i++) f();
  communicator.barrier();
  const times = [];
  for (let i = 0; i < rounds; i++) {
    const start = performance.now();
    f();
    times.push((performance.now() - start) * 1000);
  }
  times.sort((a, b) => a - b);
  if (rank === 0) {
    console.log(
      `${name}: median ${times[rounds >> 1].toFixed(1)} us, 90 % ${times[Math.floor(rounds * 0.9)].toFixed(1)} us`,
    );
  }
}
console.log(`rank ${rank} of ${size}`);
measure('barrier', 500, () => communicator.barrier());
for (const n of [1, 1000, 10_000, 100_000, 1_000_000, 16_000_000]) {
  const array = new Float32Array(n).fill(1);
  const rounds = n > 100_000 ? 12 : 300;
  measure(`allReduce of ${n} floats`, rounds, () => communicator.allReduce(array, { reductionType: 'MEAN' }));
  measure(`  by MPI's own order`, rounds, () =>
    communicator.allReduce(array, { reductionType: 'MEAN', deterministic: false }),
  );
}
