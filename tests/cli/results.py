#!/usr/bin/env python3
"""Results: the same bits however the work is cut, NaN and Inf, and the check in float64."""
import json
import os

import h5py
import numpy as np

from program import KJV, Case, Refusal, check_refusals, main, tensors, write

NONFINITE_ERROR = 6
SHAPES = [(0, 1), (1, 2), (2, 1), (2, 2), (3, 1), (3, 2)]


def seen_by(queries, keys, left=-1, right=-1, sinks=0, documents=(0,)):
    """[queries, keys] who sees whom; the last query stands where the last key does."""
    at, key = np.arange(queries)[:, None] + keys - queries, np.arange(keys)
    document = np.searchsorted(documents, np.arange(keys), 'right') - 1
    begin = np.asarray(documents)[document]
    seen = document[at] == document[key]
    if left >= 0:
        seen &= (key >= at - left) | (key < begin[at] + sinks)
    if right >= 0:
        seen &= key <= at + right
    return seen


def attend_plainly(q, k, v, seen):
    """o and lse in float64."""
    q, k, v = (x.astype('f8') for x in (q, k, v))
    k, v = (np.repeat(x, q.shape[1] // k.shape[1], axis=1) for x in (k, v))
    scores = np.einsum('ihd,jhd->hij', q, k) / np.sqrt(q.shape[2])
    scores[:, ~seen] = -np.inf
    with np.errstate(divide='ignore', invalid='ignore'):
        top = scores.max(axis=2, keepdims=True)
        p = np.exp(scores - np.where(np.isfinite(top), top, 0))
        total = p.sum(axis=2)
        o = np.einsum('hij,jhd->ihd', p, v) / np.where(total > 0, total, 1).T[:, :, None]
        return o, (np.log(total) + np.where(np.isfinite(top), top, 0)[:, :, 0]).T


class Results(Case):
    def check_bits(self, path, *words, shapes=SHAPES):
        found = {self.attend_to('o.h5', path, '--threads', threads, *words, ranks=ranks) for ranks, threads in shapes}
        self.assertEqual(len(found), 1)

    def test_bits(self):
        self.check_bits(KJV, '--causal')
        self.check_bits(KJV, '--window=300,40', shapes=[(1, 1), (3, 2)])
        path = write(self.path('long.h5'), tensors(q=(1500, 2, 16), k=(3000, 1, 16), v=(3000, 1, 20)))
        self.check_bits(path)

    def test_sinks_and_documents(self):
        """Windows with sinks, of all keys and of each document, against NumPy, and with the same bits on any ranks."""
        data = tensors(q=(2900, 2, 16), k=(3000, 1, 16), v=(3000, 1, 20))
        plain = write(self.path('plain.h5'), data)
        for kind, how in ('i8', {}), ('i4', {}), ('>i8', {}), ('i8', {'chunks': (2,), 'compression': 'gzip'}):
            path = write(self.path('packed.h5'), data)
            documents = [0, 1, 1, 700, 1500, 1530, 2999, 3000]
            with h5py.File(path, 'a') as f:
                f.create_dataset('documents', data=np.array(documents, kind), **how)
            self.check_mask(path, data, ['--window=200,0', '--sinks=4'], left=200, right=0, sinks=4, documents=documents[:-1])
        self.check_mask(path, data, [], documents=documents[:-1])
        self.check_mask(path, data, ['--causal'], right=0, documents=documents[:-1])
        self.check_mask(plain, data, ['--window=300,-1', '--sinks=50'], left=300, sinks=50)
        self.check_mask(plain, data, ['--window=1200,10', '--sinks=1100'], left=1200, right=10, sinks=1100)
        for path in plain, self.path('packed.h5'):
            self.check_bits(path, '--window=200,0', '--sinks=4', shapes=[(1, 1), (2, 2), (3, 1), (5, 1)])
            found = {self.attend_to('o.h5', path, '--window=200,0', '--sinks=4', '--strategy', strategy, ranks=3)
                     for strategy in ('ring', 'window', 'node', 'hybrid')}
            self.assertEqual(len(found), 1)

    def check_mask(self, path, data, words, **mask):
        self.attend(path, '-q', '-o', self.path('o.h5'), *words, ranks=2)
        want = attend_plainly(data['q'], data['k'], data['v'], seen_by(len(data['q']), len(data['k']), **mask))
        with h5py.File(self.path('o.h5')) as f:
            np.testing.assert_allclose(f['o'], want[0], atol=1e-6, rtol=0)
            np.testing.assert_allclose(f['lse'], want[1], atol=1e-5, rtol=0)

    def test_bad_documents(self):
        refusals = []
        for n, (documents, words) in enumerate([(np.array([1, 2]), ('documents', 'begins with 1')),
                                                (np.array([0, 7, 5]), ('element 2 is 5',)),
                                                (np.array([0, 41]), ('element 1 is 41', '40 keys')),
                                                (np.array([0., 5.]), ('documents', 'float64')),
                                                (np.array([0, 5], 'u4'), ('documents',)),
                                                (np.zeros((2, 2), int), ('documents', '2 dimensions')),
                                                (np.zeros(0, int), ('documents',))]):
            path = write(self.path(f'{n}.h5'), tensors())
            with h5py.File(path, 'a') as f:
                f['documents'] = documents
            refusals.append(Refusal(3, words, (path,)))
        check_refusals(self, refusals)

    def test_bits_of_strategies(self):
        """The order of strategies does not show either: all of them are compared with one rank."""
        path = write(self.path('long.h5'), tensors(q=(5000, 4, 16), k=(5000, 2, 16), v=(5000, 2, 20)))
        for mask in ('--causal', '--window=1500,700'):
            found = {self.attend_to('o.h5', path, mask)}
            for n, strategy in enumerate(('ring', 'window', 'node', 'ulysses', 'hybrid')):
                for ranks, balance in zip(range(2, 5), ('contiguous', 'zigzag', 'weighted')):
                    words = ('--overlap', '--piece=1000') if n == ranks % 3 else ('--no-overlap',)
                    found.add(self.attend_to('o.h5', path, mask, '--strategy', strategy, '--balance', balance, *words, ranks=ranks))
            self.assertEqual(len(found), 1)

    def test_strategy_that_does_not_fit(self):
        few = write(self.path('few.h5'), tensors(q=(3, 4, 8), k=(9, 2, 8), v=(9, 2, 8)))
        check_refusals(self, [Refusal(2, ('decode', 'ring'), (few, '--strategy=ring')),
                              Refusal(2, ('decode', '1024'), (KJV, '--strategy=decode')),
                              Refusal(2, ('hybrid:3x5', '15 ranks'), (KJV, '--strategy=hybrid:3x5'))])

    def test_no_shared_memory(self):
        """Where Open MPI lets no ranks share memory, what needs it is refused, and not chosen."""
        for env in {'OMPI_MCA_osc': '^sm'}, {'OMPI_MCA_osc_sm_backing_directory': self.path('missing')}:
            with self.subTest(env=env):
                check_refusals(self, [Refusal(5, ('share',), (KJV, '--strategy=node'))], rank_counts=(2,), how={'env': env})
                out = self.attend(KJV, '-o', self.path('o.h5'), ranks=2, env=env).out
                self.assertNotIn('node', out)
                dry = self.attend(KJV, '--dry-run', '--strategy=node', ranks=2, env=env).out
                self.assertRegex(dry, r'node +contiguous +no room')
                self.assertNotIn('taken', dry)

    def test_same_file(self):
        files = set()
        for ranks, threads in SHAPES:
            self.attend(KJV, '-q', '--causal', '-o', self.path('o.h5'), '--threads', threads, ranks=ranks)
            with open(self.path('o.h5'), 'rb') as f:
                files.add(f.read())
        self.assertEqual(len(files), 1)

    def test_fewer_tokens_than_ranks(self):
        for q_len, kv_len in ((1, 1), (2, 1), (3, 7)):
            data = tensors(q=(q_len, 4, 8), k=(kv_len, 2, 8), v=(kv_len, 2, 6))
            path = write(self.path(f'{q_len}-{kv_len}.h5'), data)
            for words in ((), ('--causal',)):
                self.check_bits(path, *words, shapes=[(0, 1), (5, 1)])
                for got, want in zip(self.values(), attend_plainly(**data, seen=seen_by(len(data['q']), len(data['k']), right=0 if words else -1))):
                    np.testing.assert_allclose(got, want, rtol=0, atol=2e-6)

    def values(self):
        with h5py.File(self.path('o.h5')) as f:
            return f['o'][:], f['lse'][:]

    def nonfinite(self, path, *words, ranks):
        stats = self.path('run.json')
        text = self.attend(path, '-o', self.path('o.h5'), '--stats', stats, *words, ranks=ranks).out
        with open(stats) as f:
            count = json.load(f)['nonfinite']
        self.assertEqual('not finite' in text, count > 0)
        return count

    def test_nan(self):
        data = tensors()
        data['k'][30, 0, 2] = np.nan
        data['v'][31, 1, 0] = np.inf
        data['q'][2, 3, 4] = -np.inf
        path = write(self.path('in.h5'), data)
        for ranks in (0, 2):
            self.assertEqual(self.nonfinite(path, ranks=ranks), 3)
            self.assertEqual(self.nonfinite(path, '--nan=propagate', '--window=0,0', '--q-start=30', ranks=ranks), 3)
            self.assertEqual(self.nonfinite(path, '--causal', '--q-start=0', ranks=ranks), 1)
            self.assertTrue(np.isfinite(np.delete(self.values()[0], 2, axis=0)).all())
        os.remove(self.path('o.h5'))
        check_refusals(self, [Refusal(NONFINITE_ERROR, (path,), (path, '--nan=error')),
                              Refusal(NONFINITE_ERROR, (path,), (path, '--nan', 'error', '--causal', '--verify', '3'))])

    def test_masked_nan(self):
        data = tensors()
        data['k'][24:] = data['v'][24:] = np.nan
        path = write(self.path('in.h5'), data)
        words = '--causal', '--q-start=0', '--nan=error', '--verify', '24'
        self.check_bits(path, *words, shapes=[(0, 1), (2, 1), (3, 1)])
        self.assertTrue(all(np.isfinite(x).all() for x in self.values()))

    def test_verify(self):
        stats = self.path('run.json')
        for rows, ranks in ((1, 0), (17, 3), (5000, 2)):
            self.attend(KJV, '-q', '-o', self.path('o.h5'), '--causal', '--verify', rows, '--verify-seed', rows,
                        '--stats', stats, ranks=ranks)
            with open(stats) as f:
                found = json.load(f)['verify']
            self.assertEqual(found['rows'], 9 * min(rows, 1024))
            self.assertLess(found['worst'], 1)

    def test_verify_of_exact(self):
        """Results that are as exact as they can be pass: sums that all round the same way, and values past the output's range."""
        same = {'q': np.full((40, 2, 128), 3.7), 'k': np.full((300, 2, 128), 3.7), 'v': np.full((300, 2, 128), 3.7)}
        few = {'q': np.full((1, 1, 512), 3.3), 'k': np.full((100, 1, 512), 4.1), 'v': np.full((100, 1, 512), 2.9)}
        for data in same, few:
            path = write(self.path('in.h5'), data)
            for isa in 'portable', None:
                self.attend(path, '-q', '-o', self.path('o.h5'), '--verify=40', env={'SEQRING_ISA': isa} if isa else {})
        data = tensors()
        data['v'][:] = np.where(np.arange(6) < 3, 1e5, -1e5)
        for queries in 24, 1:
            path = write(self.path('in.h5'), {**data, 'q': data['q'][:queries]})
            self.attend(path, '-q', '-o', self.path('o.h5'), '--verify=24', '--out-dtype=float16')
            self.assertTrue(np.isinf(self.values()[0]).all())

    def test_verify_of_infinite(self):
        """Errors that JSON has no words for."""
        data, stats = tensors((64, 2, 16), (64, 2, 16), (64, 2, 16)), self.path('run.json')
        data['q'] *= 30
        data['k'] *= 30
        data['v'][5] = np.inf
        self.attend(write(self.path('in.h5'), data), '-q', '-o', self.path('o.h5'), '--verify=64', '--stats', stats)
        with open(stats) as f:
            self.assertIsNone(json.load(f)['verify']['o_error'])


if __name__ == '__main__':
    main()
