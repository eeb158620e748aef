#!/usr/bin/env python3
"""Runs that are told to end, or lose a rank, leave no file behind."""
import os
import signal
import subprocess
import time

import numpy as np

import gguf
from program import FAILURE_LIMIT_S, RUN_LIMIT_S, Case, command, main, run, run_command, tensors, write

# Attention over it takes a minute and more on one core.
LONG = {'q': (1 << 17, 2, 64), 'k': (1 << 17, 1, 64), 'v': (1 << 17, 1, 64)}


def children(pid):
    found = []
    for task in os.listdir(f'/proc/{pid}/task'):
        with open(f'/proc/{pid}/task/{task}/children') as f:
            found += map(int, f.read().split())
    return found


class Signals(Case):
    def start(self, ranks):
        """A run that has begun to compute."""
        path = self.path('in.h5')
        if not os.path.exists(path):
            write(path, tensors(**LONG, dtype='f2'))
        words = command('attend', path, '-o', self.path('out', 'o.h5'), '--stats', self.path('out', 'run.json'),
                        ranks=ranks)
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        deadline = time.monotonic() + RUN_LIMIT_S
        while not any(name.startswith('o.h5.partial') for name in os.listdir(self.path('out'))):
            self.assertLess(time.monotonic(), deadline)
            self.assertIsNone(process.poll())
            time.sleep(0.02)
        time.sleep(0.3)
        return process

    def check_end(self, process):
        """Failed, soon, without a trace in the folder."""
        start = time.monotonic()
        status = process.wait(timeout=RUN_LIMIT_S)
        self.assertNotEqual(status, 0)
        self.assertLess(time.monotonic() - start, FAILURE_LIMIT_S)
        self.assertEqual(os.listdir(self.path('out')), [])
        return status

    def setUp(self):
        super().setUp()
        os.mkdir(self.path('out'))

    def test_alone(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGXCPU, signal.SIGUSR1):
            with self.subTest(number=number):
                process = self.start(0)
                process.send_signal(number)
                self.assertEqual(self.check_end(process), -number)

    def test_warning_that_nobody_reads(self):
        """It ends no run."""
        data = tensors()
        data['v'][0] = np.nan
        path = write(self.path('nan.h5'), data)
        out, stats = self.path('out', 'o.h5'), self.path('out', 'run.json')
        read, write_end = os.pipe()
        os.close(read)
        with open(write_end, 'wb') as broken:
            done = subprocess.run(command('attend', path, '-q', '-o', out, '--stats', stats), stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=broken, timeout=RUN_LIMIT_S, check=False)
        self.assertEqual(done.returncode, 0)
        self.assertEqual(sorted(os.listdir(self.path('out'))), ['o.h5', 'run.json'])

    def test_tokens_that_nobody_reads(self):
        """They are made no more."""
        model, text = self.path('model.h5'), self.path('text')
        self.assertEqual(run('import', gguf.write(self.path('model.gguf'), arrays=gguf.quiet_tensors()), '-q', '-o', model).status, 0)
        with open(text, 'w') as f:
            f.write('the an7')
        for ranks in 0, 2:
            done = run_command(command('generate', '-q', '--ids', '--model', model, '--text', text, '-n', 200000, ranks=ranks,
                                       through=('sh', '-c', '"$0" "$@" | head -c 5')))
            self.assertEqual((len(done.out), len(done.said)), (5, 1), done.said)
            self.assertIn('cannot write to standard output', done.said[0])
            self.assertLess(done.seconds, FAILURE_LIMIT_S)

    def test_mpi_cannot_start(self):
        """It ends the process itself."""
        path = write(self.path('in.h5'))
        words = command('attend', path, '-o', self.path('out', 'o.h5'), '--stats', self.path('out', 'run.json'))
        done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              timeout=RUN_LIMIT_S, check=False, env={**os.environ, 'OMPI_MCA_pml': 'none-such'})
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(os.listdir(self.path('out')), [])

    def test_mpirun(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number=number):
                process = self.start(2)
                process.send_signal(number)
                self.check_end(process)

    def test_lost_rank(self):
        """mpirun tells the other ranks to end when one is killed."""
        process = self.start(3)
        ranks = sorted(children(process.pid))
        self.assertEqual(len(ranks), 3)
        os.kill(ranks[-1], signal.SIGKILL)
        self.check_end(process)


if __name__ == '__main__':
    main()
