#!/usr/bin/env python3
"""import and tokenize on real models, which launch/models.sh fetches: tokens against those of two other tokenizers, in
../shared/data where that folder stands beside the checkout. Skipped where the models cannot be fetched."""
import json
import os
import subprocess

import h5py
import numpy as np

from program import SOURCES, Case, main, run

FETCH = os.path.join(SOURCES, 'launch', 'models.sh')
SHARED = os.path.join(os.path.dirname(SOURCES), 'shared', 'data')
VERSE = b'In the beginning God created the heaven and the earth.\n'
# By the package tokenizers 0.23.3 from the vocabularies of the models' own files.
VERSE_IDS = {'smollm2': [788, 260, 3616, 1839, 2312, 260, 10419, 284, 260, 3103, 30, 198],
             'minilm': [101, 1999, 1996, 2927, 2643, 2580, 1996, 6014, 1998, 1996, 3011, 1012, 102]}
# Sums of weights, and of their sizes, in float64, by NumPy from the blocks of the GGUF file (Q8_0, Q4_1, Q4_1).
SUMS = {'decoder.embedding.weight': (-15353.04449415207, 2802153.619805813),
        'decoder.0.down.weight': (150.63577270507812, 128458.06286621094),
        'decoder.29.key.weight': (87.89241790771484, 11157.1625289917)}


class RealModels(Case):
    def fetch(self, name):
        try:
            done = subprocess.run([FETCH, '--to', os.path.join(os.getcwd(), 'models'), name], capture_output=True, text=True,
                                  timeout=240)
        except subprocess.TimeoutExpired:
            self.skipTest(f'{name} could not be fetched in time')
        if done.returncode:
            self.skipTest(f'{name} could not be fetched: {done.stderr.strip().splitlines()[-1:]}')
        return done.stdout.split()[-1]

    def import_model(self, name):
        source, to = self.fetch(name), self.path('model.h5')
        done = run('import', source, '-o', to)
        self.assertEqual((done.status, done.said), (0, []))
        return to

    def check_tokens(self, name):
        model = self.import_model(name)
        self.assertEqual(self.tokens_of(model, VERSE), VERSE_IDS[name])
        cases = os.path.join(SHARED, f'{name}_tokens.json')
        if os.path.exists(cases):
            with open(cases) as f:
                for case in json.load(f)['cases']:
                    with self.subTest(text=case['text']):
                        self.assertEqual(self.tokens_of(model, case['text'].encode()), case['ids'])
        return model

    def test_decoder(self):
        model = self.check_tokens('smollm2')
        with h5py.File(model) as f:
            self.assertEqual(f['decoder.embedding.weight'].shape, (49152, 576))
            self.assertEqual(len([name for name in f if name.startswith('decoder.')]), 272)
            for name, sums in SUMS.items():
                weights = f[name][:].astype('f8')
                np.testing.assert_allclose((weights.sum(), np.abs(weights).sum()), sums, rtol=1e-10)
        book = os.path.join(SHARED, 'smollm2_kjv2048.h5')
        if os.path.exists(book):
            with h5py.File(book) as f:
                np.testing.assert_array_equal(self.tokens_of(model, f['text_utf8'][:].tobytes())[:2048], f['ids'])

    def test_encoder(self):
        model = self.check_tokens('minilm')
        with h5py.File(model) as f:
            self.assertEqual(f['encoder.embedding.weight'].shape, (30522, 384))


if __name__ == '__main__':
    main()
