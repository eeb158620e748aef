#!/usr/bin/env python3
"""Ranks on several hosts, of hosts/hosts.sh: what one process makes, they make as well."""
import json
import os

import h5py

import gguf
from program import PROGRAM, SOURCES, Case, main, read, run, run_command, tensors, write

HOSTS = os.path.join(SOURCES, 'tests', 'hosts', 'hosts.sh')
# Hosts and ranks on each: the ranks of a host are fewer than all, and the first of each host is not always the first of all.
SHAPES = (2, 2), (3, 1)


class Hosts(Case):
    def compare(self, *words, writes=True):
        """What ranks on hosts print is what one process does. Yields their output, to compare it with alone.h5."""
        def end(name):
            return ('--threads', '1', '-o', self.path(name)) if writes else ('--threads', '1')
        alone = run(*words, *end('alone.h5'))
        self.assertEqual((alone.status, alone.said), (0, []))
        for hosts, ranks in SHAPES:
            done = run_command([HOSTS, str(hosts), str(ranks), PROGRAM, *words, *end('hosts.h5')])
            if done.status == 77:
                self.skipTest(done.out)
            with self.subTest(words=words, hosts=hosts, ranks=ranks):
                self.assertEqual((done.status, done.out), (0, alone.out), done.said)
            yield self.path('hosts.h5')

    def model(self):
        source = gguf.write(self.path('model.gguf'), arrays=gguf.quiet_tensors())
        self.assertEqual(run('import', source, '-q', '-o', self.path('model.h5')).status, 0)
        return self.path('model.h5')

    def text(self):
        with open(self.path('text'), 'w') as f:
            f.writelines(f'the an7 the{i}, an\n' for i in range(250))
        return self.path('text')

    def test_attend(self):
        data = tensors((2100, 4, 8), (2100, 2, 8), (2100, 2, 6))
        path = write(self.path('in.h5'), data, chunks=(800, 2, 3), compression='gzip')
        for strategy in 'ring', 'node':
            for out in self.compare('attend', path, '-q', '--causal', '--strategy', strategy):
                self.assertEqual(read(out), read(self.path('alone.h5')))

    def test_machine(self):
        """Costs of messages are kept by the jobs that send such: a job measures what a file lacks of its own, and what the
        file holds of other links stays."""
        path, machine = self.path('in.h5'), self.path('machine.json')
        write(path, tensors((2100, 4, 8), (2100, 2, 8), (2100, 2, 6)))

        def costs(hosts, ranks):
            done = run_command([HOSTS, str(hosts), str(ranks), PROGRAM, 'attend', path, '--dry-run', '--threads', '1', '--machine',
                                machine])
            if done.status == 77:
                self.skipTest(done.out)
            self.assertEqual(done.status, 0, done.said)
            with open(machine) as f:
                return json.load(f)

        lone = costs(1, 1)
        self.assertEqual((lone['inside'], lone['between']), (None, None))
        inside = costs(1, 2)
        self.assertEqual((type(inside['inside']), inside['between']), (dict, None))
        both = costs(2, 1)
        self.assertEqual((both['inside'], type(both['between'])), (inside['inside'], dict))
        for shape in (2, 2), (1, 2), (1, 1):
            self.assertEqual(costs(*shape), both)

    def test_failure(self):
        """A failure on another host than that of rank 0 tells which."""
        path = write(self.path('in.h5'))
        for rank, where in (0, ''), (1, ' (on sqhost2)'):
            spoil = f'[ $OMPI_COMM_WORLD_RANK != {rank} ] || export OMP_NUM_THREADS=none; exec "$0" "$@"'
            done = run_command([HOSTS, '2', '1', 'sh', '-c', spoil, PROGRAM, 'attend', path, '--dry-run'])
            if done.status == 77:
                self.skipTest(done.out)
            said = [line for line in done.said if line.startswith('seqring: ')]
            self.assertEqual((done.status, said), (2, [f'seqring: OMP_NUM_THREADS=none: not a number of threads from 1 to 4096{where}']))

    def test_run(self):
        names = 'logprob', 'hidden', 'surprise', 'units'
        for out in self.compare('run', '-q', '--model', self.model(), '--text', self.text(), '--unit=line', '--top=200',
                                '--outputs', ','.join(names)):
            with h5py.File(out) as f, h5py.File(self.path('alone.h5')) as alone:
                for name in names:
                    self.assertEqual(f[name][:].tobytes(), alone[name][:].tobytes(), name)

    def test_generate(self):
        self.assertEqual(len(list(self.compare('generate', '-q', '--model', self.model(), '--text', self.text(), '--ids',
                                               '--tokens=12', writes=False))), len(SHAPES))


if __name__ == '__main__':
    main()
