// Trainings on ranks, against the same in one process, byte for byte; and what ranks are told when one does something wrong.
import console from 'node:console';
import { createRequire } from 'node:module';
import { argv } from 'node:process';
import fc from 'fast-check';
import { mpi } from 'gradstep/mpi';

const require = createRequire(import.meta.url);
const support = '../../../build/ts/test/parallel/support';
const { programs } = require(`${support}/distributed.js`);
const { scenarios, trainedAlone } = require(`${support}/scenarios.js`);

const [seed = '1', rounds = '40'] = argv.slice(2);
const communicator = await mpi.init();
const { rank, size } = communicator;

for (const scenario of fc.sample(scenarios(size), { seed: Number(seed), numRuns: Number(rounds) })) {
  const expected = JSON.stringify(trainedAlone(scenario));
  if (JSON.stringify(programs.scenario(communicator, scenario)) !== expected) {
    throw new Error(`other bytes than in one process: ${JSON.stringify(scenario)}`);
  }
}
console.log(`rank ${rank} of ${size}: ${rounds} trainings`);

if (size > 1) {
  for (const mistake of ['the loss throws', 'the way back throws', 'another order', 'one more variable']) {
    const [before, told, after] = programs.mistaken(communicator, { mistake, rank: 1, fusionBytes: 0 });
    console.log(`${mistake}, rank ${rank}: ${told}${before !== after ? '; goes on' : ''}`);
  }
  const steps = Array.from({ length: size }, (_, other) => (other === 0 ? 3 : 0));
  programs.broadcast(communicator, { root: 0, steps });
  console.log(`drifting, rank ${rank}: found after ${programs.drifting(communicator, { check: 4 })}`);
  const asynchronous = await programs.asynchronous(communicator, { waits: false });
  communicator.barrier();
  if (programs.turns(communicator).length === 0 || asynchronous.length === 0) throw new Error('nothing was trained');
}
