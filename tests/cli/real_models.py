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
# A heavy chain, and its numbers by the package anarcii 2.0.8 with PyTorch 2.15.
ANTIBODY = ('EVQLVESGGGLVQPGGSLRLSCAASGFTFSSYAMSWVRQAPGKGLEWVSAISGSGGSTYYADSVKGRFTISRDNSKNTLYLQMNSLRAEDTAVYYCAKDRGYYYGMDVWGQGTT'
            'VTVSS')
NUMBERS = ('H 1 2 3 4 5 6 7 8 9 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 35 36 37 38 39 40 41 42 43 44 45 '
           '46 47 48 49 50 51 52 53 54 55 56 57 58 59 62 63 64 65 66 67 68 69 70 71 72 74 75 76 77 78 79 80 81 82 83 84 85 '
           '86 87 88 89 90 91 92 93 94 95 96 97 98 99 100 101 102 103 104 105 106 107 108 109 110 112 113 114 115 116 117 '
           '118 119 120 121 122 123 124 125 126 127 128')
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

                text = self.write('book', f['text_utf8'][:].tobytes())
                self.check_book(model, text, f)

    def write(self, name, content):
        with open(self.path(name), 'wb') as f:
            f.write(content)
        return self.path(name)

    def run_model(self, *words):
        done = run('run', '-q', '-o', self.path('o.h5'), *words)
        self.assertEqual((done.status, done.said), (0, []))
        with h5py.File(self.path('o.h5')) as f:
            return {name: f[name][:] for name in ('logprob', 'hidden', 'embedding') if name in f}

    def check_book(self, model, text, book):
        """The log-probabilities of float64, with the window and sinks and without."""
        for group, words in ('full', ()), ('window512_sink4', ('--window=511,0', '--sinks=4')):
            found = self.run_model('--model', model, '--text', text, '--limit=2048', '--outputs=logprob', *words)
            error = np.abs(found['logprob'] - book[group]['logprob'])
            self.assertLess(error.max(), 2e-4)
            self.assertLess(error.mean(), 1e-5)

    def test_encoder(self):
        model = self.check_tokens('minilm')
        with h5py.File(model) as f:
            self.assertEqual(f['encoder.embedding.weight'].shape, (30522, 384))
        sentences = os.path.join(SHARED, 'minilm_sentences.h5')
        if os.path.exists(sentences):
            with h5py.File(sentences) as f:
                self.check_sentences(model, f)

    def check_sentences(self, model, f):
        text, offset = f['text_utf8'][:].tobytes(), f['text_offset'][:]
        files = [self.write(f'{i}', text[a:b]) for i, (a, b) in enumerate(zip(offset, offset[1:]))]
        found = self.run_model('--model', model, '--text', *files, '--documents=file', '--outputs=hidden,embedding')
        np.testing.assert_allclose(found['hidden'], f['hidden'], rtol=0, atol=2e-5)
        np.testing.assert_allclose(found['embedding'], f['embedding'], rtol=0, atol=2e-6)

    def test_encoder_decoder(self):
        """The package's own greedy ids, up to the end token."""
        model, source = self.import_model('anarcii'), self.write('antibody', ANTIBODY.encode() + b'\n')
        for ranks in 0, 3:
            done = run('generate', '-q', '--model', model, '--source', source, '-n', 150, ranks=ranks)
            self.assertEqual((done.status, done.said, done.out.split()), (0, [], NUMBERS.split()))


if __name__ == '__main__':
    main()
