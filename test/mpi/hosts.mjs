// Several hosts: network namespaces that a bridge joins, with names of their own, where the system allows that.
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, expectMatch, folder, launch } from './kit.mjs';

// Names of this process's own: others may run the same tests.
const hosts = [1, 2, 3].map((i) => `gs${process.pid}h${i}`);
const address = (i) => `10.213.77.${i + 1}`;
const bridge = `gs${process.pid}`;
const link = (i) => `${bridge}v${i}`;

function sh(command) {
  return spawnSync('sh', ['-ec', command], { encoding: 'utf8' });
}

/** Namespaces with addresses; the first host is where mpirun runs. @returns why there are none. */
function makeHosts() {
  removeHosts();
  const lines = [`ip link add ${bridge} type bridge`, `ip link set ${bridge} up`];
  hosts.forEach((name, i) => {
    lines.push(
      `ip netns add ${name}`,
      `ip link add ${link(i)} type veth peer name eth0 netns ${name}`,
      `ip link set ${link(i)} master ${bridge} up`,
      `ip netns exec ${name} ip addr add ${address(i)}/24 dev eth0`,
      `ip netns exec ${name} ip link set eth0 up`,
      `ip netns exec ${name} ip link set lo up`,
    );
  });
  const made = sh(lines.join('\n'));
  if (made.status === 0) return undefined;
  removeHosts();
  return `no network namespaces here: ${made.stderr.trim().split('\n').at(-1)}`;
}

function removeHosts() {
  const lines = hosts.map(
    (name) =>
      `kill -9 $(ip netns pids ${name} 2> /dev/null) 2> /dev/null || true; ip netns del ${name} 2> /dev/null || true`,
  );
  // A namespace whose processes are on their way out keeps its end of a link.
  const links = hosts.map((_, i) => `ip link del ${link(i)} 2> /dev/null || true`);
  sh([...lines, ...links, `ip link del ${bridge} 2> /dev/null || true`].join('\n'));
}

/** What stands in for ssh: `agent [options] <host> <command...>`, the host by its address. */
function writeAgent() {
  const file = join(folder, 'agent.sh');
  mkdirSync(folder, { recursive: true });
  const cases = hosts.map((name, i) => `${address(i)}|${name}) ns=${name};;`);
  writeFileSync(
    file,
    `#!/bin/bash
while [[ $1 == -* ]]; do shift; done
case $1 in ${cases.join(' ')} *) echo "no host $1" >&2; exit 1;; esac
shift
exec ip netns exec $ns unshare --uts bash -c "hostname $ns; $*"
`,
  );
  chmodSync(file, 0o755);
  return file;
}

/** Each on the host of that number, one rank on each. */
const starts = {
  openmpi: (agent) => (ranks) => [
    'ip',
    ...['netns', 'exec', hosts[0], 'unshare', '--uts', 'sh', '-c', `hostname ${hosts[0]}; exec "$@"`, 'sh'],
    'mpirun.openmpi',
    ...['--allow-run-as-root', '--oversubscribe', '-n', `${ranks}`, '--map-by', 'node'],
    ...['--host', hosts.map((_, i) => `${address(i)}:2`).join()],
    ...['--mca', 'plm_rsh_agent', agent, '--mca', 'plm', 'rsh'],
    ...['--mca', 'btl_tcp_if_include', 'eth0', '--mca', 'oob_tcp_if_include', 'eth0'],
    ...['--mca', 'btl_vader_single_copy_mechanism', 'none'],
    ...['-x', 'GRADSTEP_THREADS'],
  ],
  mpich: (agent) => (ranks) => [
    'ip',
    ...['netns', 'exec', hosts[0], 'unshare', '--uts', 'sh', '-c', `hostname ${hosts[0]}; exec "$@"`, 'sh'],
    'mpirun.mpich',
    // UCX takes namespaces of one machine for one host, and would not use their network.
    ...['-genv', 'UCX_TLS', 'tcp,self'],
    ...['-launcher', 'ssh', '-launcher-exec', agent, '-iface', 'eth0', '-n', `${ranks}`],
    ...['-hosts', hosts.map((_, i) => address(i)).join()],
  ],
};

async function onHosts(mpi, ranks, program, options) {
  const why = makeHosts();
  if (why !== undefined) return why;
  try {
    return await launch(mpi, ranks, program, { ...options, start: starts[mpi](writeAgent()) });
  } finally {
    removeHosts();
  }
}

export function tests({ mpis, isFull }) {
  const all = {};
  for (const mpi of mpis.filter((name) => name !== 'abi')) {
    all[`3 hosts of ${mpi} have the bytes of plain loops`] = async () => {
      const result = await onHosts(mpi, isFull ? 4 : 3, 'collectives.mjs', {
        args: [11, isFull ? 300 : 40],
        seconds: 120,
      });
      if (typeof result === 'string') return result;
      expect(result.status === 0, 'it works', result);
      expectMatch(result, /rank 2 of \d: \d+ checks/);
      return undefined;
    };
    all[`ranks on 3 hosts of ${mpi} know their hosts`] = async () => {
      const result = await onHosts(mpi, 3, 'info.mjs', {});
      if (typeof result === 'string') return result;
      expect(result.status === 0, 'the job ends', result);
      const info = result.output
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line));
      expect(info.length === 3 && info.every(({ localSize }) => localSize === 1), 'each is alone on its host', result);
      expect(new Set(info[0].hostnames).size === 3, 'which have names', result);
      return undefined;
    };
    // One that can hang at its end does so now and then.
    all[`jobs of ${mpi} on 3 hosts end, each of 5`] = async () => {
      for (let i = 0; i < 5; ++i) {
        const result = await onHosts(mpi, 3, 'info.mjs', { seconds: 30 });
        if (typeof result === 'string') return result;
        expect(result.status === 0, `job ${i + 1} ends`, result);
      }
      return undefined;
    };
    for (const way of isFull ? ['kill', 'throw', 'exit'] : ['kill']) {
      all[`a job of ${mpi} on 3 hosts ends when a rank ends by ${way}`] = async () => {
        let begun;
        const result = await onHosts(mpi, 3, 'ends.mjs', {
          args: [way, 1],
          onStart: (child, output) =>
            child.stdout.on('data', () => {
              if (begun === undefined && (output().match(/has begun/g) ?? []).length === 3) begun = performance.now();
            }),
        });
        if (typeof result === 'string') return result;
        const took = (performance.now() - begun) / 1000;
        expect(result.status !== 0 && took < 10, `it took ${took} s`, result);
        return undefined;
      };
    }
    if (isFull) {
      all[`a host of ${mpi} that is lost is named, and the others end`] = async () => {
        const cut = (child, output) =>
          child.stdout.on('data', () => {
            if (/has begun[\s\S]*has begun[\s\S]*has begun/.test(output())) sh(`ip link set ${link(1)} down`);
          });
        // mpirun may wait for the host, for longer than our processes.
        const result = await onHosts(mpi, 3, 'losing.mjs', { onStart: cut, seconds: 25 });
        if (typeof result === 'string') return result;
        expectMatch(result, /rank 1 on \S+ does not answer: it is stopped, or its host is lost\n {2}the job is ended/);
        return undefined;
      };
    }
  }
  return all;
}
