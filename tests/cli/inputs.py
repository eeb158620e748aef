#!/usr/bin/env python3
"""Inputs of every kind that attend reads: the way in which the same values are stored changes no bit of the result."""
from concurrent.futures import ThreadPoolExecutor

import h5py
import numpy as np

from program import Case, main, read, run, tensors, write


def short_tensors():
    """Values that float16 and bfloat16 hold exactly."""
    return {name: np.clip(np.round(x * 32), -127, 127).astype('f4') / 32 for name, x in tensors().items()}


def compact(f, data):
    for name, x in data.items():
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_layout(h5py.h5d.COMPACT)
        space = h5py.h5s.create_simple(x.shape)
        h5py.h5d.create(f.id, name.encode(), h5py.h5t.IEEE_F32LE, space, plist).write(space, space, x)


class Inputs(Case):
    def setUp(self):
        super().setUp()
        self.data = short_tensors()
        self.plain = self.attend_to('plain.out', write(self.path('plain.h5'), self.data), '--causal')

    def check(self, *inputs):
        """inputs: a path and further words of the command line each; read alone and on two ranks."""
        jobs = [(i, words, ranks) for i, words in enumerate(inputs) for ranks in (0, 2)]

        def run_one(job):
            i, words, ranks = job
            return run('attend', *words, '--causal', '-q', '-o', self.path(f'{i}.{ranks}.out'), ranks=ranks)
        with ThreadPoolExecutor(4) as pool:
            results = list(pool.map(run_one, jobs))
        for (i, words, ranks), done in zip(jobs, results):
            with self.subTest(words=words, ranks=ranks):
                self.assertEqual((done.status, done.said), (0, []))
                self.assertEqual(read(self.path(f'{i}.{ranks}.out')), self.plain)

    def cast(self, kind):
        return {name: x.astype(kind) for name, x in self.data.items()}

    def test_chunks(self):
        every = {'compression': 'gzip', 'shuffle': True, 'fletcher32': True}
        small = {'chunks': (7, 2, 3)}
        kinds = {'chunks': small, 'deflate': {**small, 'compression': 'gzip'}, 'sum': {**small, 'fletcher32': True},
                 'all': {**small, **every}, 'unlimited': {**small, **every, 'maxshape': (None, None, None)},
                 'auto': {'compression': 'gzip'}, 'large': {'chunks': (64, 4, 8), 'maxshape': (None, None, None)}}
        self.check(*((write(self.path(name), self.data, **how),) for name, how in kinds.items()))

    def test_dealt_rows(self):
        """A rank's rows lie in several runs, of which one chunk may hold many, and the last chunk is not full."""
        n = 2000
        self.data = tensors((n, 4, 8), (n, 2, 8), (n, 2, 6))
        self.plain = self.attend_to('dealt', write(self.path('dealt.h5'), self.data), '--causal')
        dealt = '--strategy', 'ring', '--balance', 'weighted'
        self.check(*((write(self.path(f'{rows}.h5'), self.data, chunks=(rows, 2, 3), compression='gzip'), *dealt)
                     for rows in (1, 90, 600, 1100, n)))

    def test_byte_order(self):
        self.check((write(self.path('big'), self.cast('>f4')),),
                   (write(self.path('big-half'), self.cast('>f2'), compression='gzip', chunks=(8, 2, 6)),))

    def test_place(self):
        group = write(self.path('group'), self.data, group='/a/b')
        with h5py.File(self.path('compact'), 'w') as f:
            compact(f, self.data)
        with h5py.File(self.path('more'), 'w') as f:  # other things beside q, k and v do no harm
            f['a'] = h5py.SoftLink('/nowhere')
            f['z'] = ['text']
            for name in 'vkq':
                f[name] = self.data[name]
        latest = {'file': {'libver': 'latest'}}
        self.check((group, '--group', '/a/b'), (group, '--group=a//b/'), (self.path('compact'),), (self.path('more'),),
                   (write(self.path('userblock'), self.data, file={'userblock_size': 1024}),),
                   (write(self.path('latest'), self.data, **latest),),
                   (write(self.path('latest-chunks'), self.data, **latest, chunks=(7, 2, 3)),))

    def test_short_floats(self):
        inputs = [(write(self.path('half'), self.cast('f2')),)]
        for order in '<>':
            halves = {name: (x.view('u4') >> 16).astype(order + 'u2') for name, x in self.data.items()}
            path = write(self.path('brain' + order), halves)
            with h5py.File(path, 'r+') as f:
                for name in 'qkv':
                    f[name].attrs['dtype'] = 'bfloat16' if order == '<' else np.bytes_('bfloat16')
            inputs.append((path,))
        self.check(*inputs)

    def test_float64(self):
        """Results of float64 input are float64, and near those of the same values in float32."""
        o, lse = (np.frombuffer(x, 'f4') for x in self.plain)
        for kind in ('<f8', '>f8'):
            path = write(self.path(kind), self.cast(kind))
            results = [self.attend_to('other.out', path, '--causal', ranks=ranks) for ranks in (0, 2)]
            self.assertEqual(*results)
            np.testing.assert_allclose(np.frombuffer(results[0][0], 'f8'), o, rtol=0, atol=2e-6)
            np.testing.assert_allclose(np.frombuffer(results[0][1], 'f8'), lse, rtol=0, atol=2e-6)

    def test_input_stays(self):
        path = self.path('plain.h5')
        with open(path, 'rb') as f:
            before = f.read()
        self.assertEqual(self.attend_to('other.out', path, '--causal'), self.plain)
        with open(path, 'rb') as f:
            self.assertEqual(f.read(), before)
        self.assertEqual(read(self.path('plain.out')), self.plain)


if __name__ == '__main__':
    main()
