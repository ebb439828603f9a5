import { availableParallelism } from 'node:os';
import type { Bench, Case } from '../bench';
import { efficiency, networks, sizes } from '../mpi/efficiency';
import { launcher, Ranks } from '../mpi/ranks';
import { unchecked, type Side } from '../sides';

/** What one rank and two do, each rank on a core of its own with a batch of its own. */
const trainings: readonly (readonly [id: string, work: string])[] = [
  ['mpi 784-256-10, 64 examples a rank', 'mlp-64'],
  ['mpi 784-256-10, 512 examples a rank', 'mlp-512'],
  ['mpi LeNet-5, 64 images a rank', 'lenet'],
  ['mpi GPT, 4 layers of 128, 8 x 128 tokens a rank', 'gpt'],
];
const lengths = [2 ** 8, 2 ** 14, 2 ** 18, 2 ** 22, 2 ** 24] as const;

/** A call of it is that of one rank: two ranks make two at once. */
function perRank(side: Side, ranks: number): Side {
  return {
    ...side,
    turn: async (calls) => {
      const each = Math.ceil(calls / ranks);
      return ((await side.turn(each)) * calls) / (each * ranks);
    },
  };
}

async function scaling(bench: Bench, two: Ranks, one: Ranks): Promise<void> {
  for (const [id, work] of trainings) {
    await bench.contest(id, () => [perRank(two.side('2 ranks', work), 2), one.side('1 rank', work)], {
      goals: [{ against: '1 rank', atLeast: 1.7 }],
      patience: 10,
    });
  }
}

async function sums(bench: Bench, ours: Ranks, theirs: Ranks | null): Promise<void> {
  for (const length of lengths) {
    const name = length < 2 ** 18 ? `${length / 256} KiB` : `${length / 2 ** 18} MiB`;
    await bench.contest(
      `mpi sum of ${name} over 2 ranks`,
      () => [unchecked(ours.side('gradstep', `${length}`)), theirs && unchecked(theirs.side("MPI's own", `${length}`))],
      { work: { bytes: 4 * length }, patience: 4 },
    );
  }
}

/** What the time of a step says of many ranks: see docs/clusters.md. */
function onPaper(bench: Bench): void {
  for (const size of sizes) {
    for (const network of networks) {
      bench.measure(`mpi on paper: ${size.name}, 1,000 ranks, ${network.name}`, () => ({
        value: 100 * efficiency(size, network, 1000),
        unit: '%',
      }));
    }
  }
}

export const mpi: Case = {
  name: 'mpi',
  about: "two ranks of MPI against one, a core each, and what a sum over ranks costs beside MPI's own",
  async run(bench) {
    const command = launcher(2);
    if (!bench.wants('mpi') || command === null || availableParallelism() < 2) return;
    const all = [Ranks.ofGradstep(command), Ranks.ofGradstep(launcher(1)!)] as const;
    const own = Ranks.ofMpi(command);
    try {
      await scaling(bench, ...all);
      await sums(bench, all[0], own);
      onPaper(bench);
    } finally {
      for (const ranks of [...all, own]) await ranks?.stop();
    }
  },
};
