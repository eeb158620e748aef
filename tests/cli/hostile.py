#!/usr/bin/env python3
"""Malformed files: those of make_hostile.py, and the known ones of ../shared/data/hostile where that folder stands
beside the checkout."""
import glob
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import h5py
import numpy as np

from program import AT_ONCE, FAILURE_LIMIT_S, SOURCES, Case, main, run

KNOWN = os.path.join(os.path.dirname(SOURCES), 'shared', 'data', 'hostile')


class Hostile(Case):
    def run_all(self, paths, ranks, words=()):
        """(path, what became of it, the output's path) of each."""
        os.makedirs(self.path('out'), exist_ok=True)

        def run_one(path):
            out = self.path('out', os.path.basename(path))
            return path, run('attend', path, '-q', '-o', out, *words, ranks=ranks), out
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(run_one, paths))

    def check_refused(self, paths, ranks=0, words=()):
        self.assertTrue(paths)
        for path, done, _ in self.run_all(paths, ranks, words):
            with self.subTest(path=path, ranks=ranks):
                self.judge_refusal(path, done)
        self.assertEqual(os.listdir(self.path('out')), [])

    def judge_refusal(self, path, done):
        self.assertIn(done.status, range(1, 126), done.said)
        self.assertEqual(len(done.said), 1, done.said)
        self.assertTrue(done.said[0].startswith('seqring: '), done.said)
        self.assertIn(path, done.said[0])
        self.assertLess(done.seconds, FAILURE_LIMIT_S)

    def make(self):
        maker = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'make_hostile.py')
        subprocess.run([sys.executable, maker, self.path('made'), '--flips', '60'], check=True)
        return lambda kind: sorted(glob.glob(self.path('made', kind + '-*.h5')))

    def test_made(self):
        made = self.make()
        self.check_refused(made('bad') + made('cut'))
        self.check_refused(made('bad')[::4], ranks=2)
        self.check_refused([self.path('made', 'group-link.h5')], words=('--group=/g',))
        for path, done, out in self.run_good(made('good')):
            with self.subTest(path=path):
                self.assertEqual((done.status, done.said), (0, []))
                self.assertLess(self.distance(out), 0.02)
        for path, done, out in self.run_all(made('flip'), 0):
            with self.subTest(path=path):
                if done.status == 0:
                    self.assertTrue(os.path.exists(out))
                else:
                    self.judge_refusal(path, done)
                    self.assertFalse(os.path.exists(out))

    def run_good(self, paths):
        in_group = [path for path in paths if path.endswith('good-group.h5')]
        return (self.run_all([path for path in paths if path not in in_group], 0) +
                self.run_all(in_group, 0, ('--group=/a/b',)))

    def distance(self, out):
        """From the result of the plain file; float16 and bfloat16 inputs are rounded."""
        with h5py.File(out) as f, h5py.File(self.path('out', 'good-contiguous.h5')) as plain:
            return np.abs(f['o'][:] - plain['o'][:]).max()

    def test_known(self):
        if not os.path.isdir(KNOWN):
            self.skipTest(f'no {KNOWN}')
        paths = [path for path in sorted(glob.glob(KNOWN + '/*')) if not path.endswith('.md')]
        self.check_refused(paths)
        self.check_refused(paths[::6], ranks=2)

    def test_info(self):
        """The command info looks at the same files without harm."""
        paths = sorted(glob.glob(KNOWN + '/*.h5'))[::2] if os.path.isdir(KNOWN) else self.make()('bad')
        with ThreadPoolExecutor(AT_ONCE) as pool:
            results = list(pool.map(lambda path: run('info', path), paths))
        for path, done in zip(paths, results):
            with self.subTest(path=path):
                self.assertIn(done.status, (0, 3))
                self.assertEqual(len(done.said), 1 if done.status else 0)
                self.assertLess(done.seconds, FAILURE_LIMIT_S)


if __name__ == '__main__':
    main()
