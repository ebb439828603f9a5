// One rank leaves in the middle of a training with compiled steps: the others say so, and have changed nothing. argv: the way,
// 'async' for runs off the event loop, and 'divided' for slots of which each rank has a part.
import { AdamOptimizer, compileStep, ops, variable } from 'gradstep';
import { mpi } from 'gradstep/mpi';
import { DistributedOptimizer } from 'gradstep/parallel';

const [way, how, slots] = process.argv.slice(2);
const communicator = await mpi.init();
const { rank, size } = communicator;
const length = 300_000;
const w = variable(
  Float32Array.from({ length }, (_, i) => Math.sin(i)),
  { name: 'w' },
);
const optimizer = new DistributedOptimizer(new AdamOptimizer(), communicator, { shardState: slots === 'divided' });
const step = compileStep({
  inputs: { x: { shape: [length] } },
  loss: ({ x }) => ops.reduceMean(ops.square(ops.mul(x, w))),
  optimizer,
});
const x = new Float32Array(new SharedArrayBuffer(4 * length)).fill(rank + 1);
const state = () => Buffer.concat([w, ...optimizer.variables()].map(({ data }) => Buffer.from(data.slice().buffer)));

const before = { state: state() };
try {
  for (let steps = 0; ; steps++) {
    if (rank === size - 1 && steps === 20) {
      if (way === 'kill') process.kill(process.pid, 'SIGKILL');
      process.exit(0);
    }
    if (how === 'async') await step.run({ x });
    else step.runSync({ x });
    before.state = state();
  }
} catch (error) {
  const isUnchanged = Buffer.compare(state(), before.state) === 0;
  console.log(
    `rank ${rank}: ${error.name}, ${isUnchanged ? 'nothing has changed' : 'SOMETHING HAS CHANGED'}: ${error.message}`,
  );
}
