#!/usr/bin/env python3
"""Models that are described part by part, of random weights, against NumPy in float64: all parts there are, and encoders
beside decoders."""
import json
import math
import os

import h5py
import numpy as np

from bert import write_safetensors
from program import Case, main, run

SPECIAL = '<PAD>', '<SOS>', '<EOS>'
LETTERS, WORDS = 'abcdefghX', tuple(str(n) for n in range(12))
SOS, EOS = 1, 2
WIDTH, HEADS, KV_HEADS, HEAD, INNER, CONTEXT = 24, 4, 2, 6, 40, 300
SHAPES = (0, 1), (2, 1), (3, 2)


def stack(vocabulary, **changed):
    return {'vocabulary': vocabulary, 'width': WIDTH, 'layers': 2, 'context': CONTEXT, 'embedding_scale': 1.0, 'segments': 0,
            'embedding_norm': False, 'positions': 'learned', 'rotary_pairs': 'interleaved', 'rotary_width': 0,
            'rotary_base': 10000.0, 'rotary_factors': False, 'heads': HEADS, 'kv_heads': KV_HEADS, 'head_width': HEAD,
            'qkv_bias': True, 'output_bias': True, 'query_key_norm': False, 'causal': True, 'cross_attention': False,
            'norm': 'layer', 'norm_place': 'after', 'epsilon': 1e-5, 'final_norm': False, 'inner_width': INNER,
            'activation': 'relu', 'gated': False, 'inner_bias': True, 'head': 'own', 'head_bias': True, **changed}


def tokenizer(kind, tokens, **known):
    return {'kind': kind, 'tokens': [*SPECIAL, *tokens], 'control': [0, 1, 2], 'patterns': [], 'whole_pieces': False,
            'clean': False, 'split_han': False, 'lowercase': False, 'strip_accents': False, 'longest_word': 0, 'unknown': -1,
            'first': SOS, 'last': -1, 'end': EOS, **known}


def weights(name, s, rng):
    """name -> shape of a stack's weights, with random elements."""
    shapes = {'embedding.weight': (s['vocabulary'], WIDTH)}

    def product(part, rows, columns, bias):
        shapes[part + '.weight'] = rows, columns
        if bias:
            shapes[part + '.bias'] = rows,

    def norm(part, width=WIDTH):
        shapes[part + '.weight'] = width,
        if s['norm'] == 'layer':
            shapes[part + '.bias'] = width,

    if s['positions'] == 'learned':
        shapes['positions.weight'] = s['context'], WIDTH
    if s['rotary_factors']:
        shapes['rotary_factors.weight'] = s['rotary_width'] // 2,
    for i in range(s['layers']):
        for before in ('', 'cross_') if s['cross_attention'] else ('',):
            norm(f'{i}.{before or "attention_"}norm')
            for part, heads in ('query', s['heads']), ('key', s['kv_heads']), ('value', s['kv_heads']):
                product(f'{i}.{before}{part}', heads * s['head_width'], WIDTH, s['qkv_bias'])
            if s['query_key_norm']:
                norm(f'{i}.{before}query_norm', s['head_width']), norm(f'{i}.{before}key_norm', s['head_width'])
            product(f'{i}.{before}output', WIDTH, s['heads'] * s['head_width'], s['output_bias'])
        norm(f'{i}.inner_norm')
        for part in ('gate', 'up') if s['gated'] else ('up',):
            product(f'{i}.{part}', INNER, WIDTH, s['inner_bias'])
        product(f'{i}.down', WIDTH, INNER, s['inner_bias'])
    for part in 'embedding_norm', 'final_norm':
        if s[part]:
            norm(part)
    if s['head'] == 'own':
        product('head', s['vocabulary'], WIDTH, s['head_bias'])
    return {f'{name}.{part}': (rng.standard_normal(shape) * (0.4 if len(shape) > 1 else 1)).astype('f4')
            for part, shape in shapes.items()}


class Model:
    """One stack in float64."""

    window, sinks = None, 0

    def __init__(self, name, s, arrays):
        self.s, self.w = s, {key[len(name) + 1:]: x.astype('f8') for key, x in arrays.items() if key.startswith(name + '.')}

    def linear(self, part, x):
        return x @ self.w[part + '.weight'].T + self.w.get(part + '.bias', 0)

    def norm(self, part, x):
        if self.s['norm'] == 'rms':
            return x / np.sqrt((x ** 2).mean(-1, keepdims=True) + self.s['epsilon']) * self.w[part + '.weight']
        x = x - x.mean(-1, keepdims=True)
        return x / np.sqrt((x ** 2).mean(-1, keepdims=True) + self.s['epsilon']) * self.w[part + '.weight'] + self.w[part + '.bias']

    def turned(self, x, places=None):
        half = self.s['rotary_width'] // 2
        if self.s['positions'] != 'rotary':
            return x
        divisor = self.w['rotary_factors.weight'] if self.s['rotary_factors'] else 1
        places = np.arange(len(x)) if places is None else places
        angle = places[:, None] * self.s['rotary_base'] ** (-np.arange(half) / half) / divisor
        c, s, x = np.cos(angle)[:, None], np.sin(angle)[:, None], x.copy()
        pairs = (slice(0, 2 * half, 2), slice(1, 2 * half, 2))
        if self.s['rotary_pairs'] == 'halves':
            pairs = slice(0, half), slice(half, 2 * half)
        a, b = x[..., pairs[0]].copy(), x[..., pairs[1]].copy()
        x[..., pairs[0]], x[..., pairs[1]] = a * c - b * s, a * s + b * c
        return x

    @staticmethod
    def slopes(heads):
        """As the authors of ALiBi make them."""
        whole = 2 ** int(math.log2(heads))
        slopes = [2 ** (-8 * (h + 1) / whole) for h in range(whole)]
        return np.array(slopes + [2 ** (-4 * (h + 1) / whole) for h in range(0, 2 * whole, 2)][:heads - whole])

    def attend(self, at, x, source, causal):
        width = self.s['head_width']
        q, k, v = (self.linear(at + part, y).reshape(len(y), -1, width)
                   for part, y in (('query', x), ('key', source), ('value', source)))
        if self.s['query_key_norm']:
            q, k = self.norm(at + 'query_norm', q), self.norm(at + 'key_norm', k)
        raw = q
        if source is x:
            q, k = self.turned(q), self.turned(k)
        k, v = (np.repeat(y, self.s['heads'] // self.s['kv_heads'], axis=1) for y in (k, v))
        scores = np.einsum('ihd,jhd->hij', q, k) / math.sqrt(width)
        i, j = np.arange(len(q))[:, None], np.arange(len(k))
        if source is x and self.s['positions'] == 'alibi':
            scores = scores - self.slopes(len(scores))[:, None, None] * (i - j)
        if source is x and self.window is not None:
            before = j < i - self.window
            near = self.turned(raw, np.minimum(np.arange(len(q)), self.s['context'] - 1))
            scores = np.where(before, np.einsum('ihd,jhd->hij', near, k) / math.sqrt(width), scores)
            scores[:, before & (j >= self.sinks)] = -np.inf
        if causal:
            scores[:, i < j] = -np.inf
        p = np.exp(scores - scores.max(-1, keepdims=True))
        return self.linear(at + 'output', np.einsum('hij,jhd->ihd', p / p.sum(-1, keepdims=True), v).reshape(len(q), -1))

    def feed(self, at, x):
        y = self.linear(at + 'gate' if self.s['gated'] else at + 'up', x)
        erf = np.vectorize(math.erf)
        y = {'relu': lambda: np.maximum(y, 0), 'gelu': lambda: y * (1 + erf(y / math.sqrt(2))) / 2,
             'gelu_tanh': lambda: y / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (y + 0.044715 * y ** 3))),
             'silu': lambda: y / (1 + np.exp(-y))}[self.s['activation']]()
        return self.linear(at + 'down', y * self.linear(at + 'up', x) if self.s['gated'] else y)

    def step(self, norm, h, part):
        if self.s['norm_place'] == 'after':
            return self.norm(norm, h + part(h))
        return h + part(self.norm(norm, h))

    def hidden(self, ids, source=None):
        h = self.w['embedding.weight'][ids] * self.s['embedding_scale']
        places = np.arange(len(ids))
        if self.s['positions'] == 'learned':
            h = h + self.w['positions.weight'][places]
        if self.s['positions'] == 'sinusoidal':
            angle = places[:, None] / 10000 ** (np.arange(0, WIDTH, 2) / WIDTH)
            h = h + np.stack([np.sin(angle), np.cos(angle)], axis=2).reshape(len(ids), WIDTH)
        if self.s['embedding_norm']:
            h = self.norm('embedding_norm', h)
        for i in range(self.s['layers']):
            h = self.step(f'{i}.attention_norm', h, lambda x: self.attend(f'{i}.', x, x, self.s['causal']))
            if source is not None:
                h = self.step(f'{i}.cross_norm', h, lambda x: self.attend(f'{i}.cross_', x, source, False))
            h = self.step(f'{i}.inner_norm', h, lambda x: self.feed(f'{i}.', x))
        return self.norm('final_norm', h) if self.s['final_norm'] else h

    def logprobs(self, ids, source=None):
        """[tokens, vocabulary]"""
        h = self.hidden(ids, source)
        logits = h @ self.w['embedding.weight'].T if self.s['head'] == 'tied' else self.linear('head', h)
        logits = logits + (self.w['head.bias'] if self.s['head'] == 'tied' and self.s['head_bias'] else 0)
        return logits - logits.max(-1, keepdims=True) - np.log(np.exp(logits - logits.max(-1, keepdims=True)).sum(-1, keepdims=True))


class Own(Case):
    def setUp(self):
        super().setUp()
        self.source = 'abcXha' * 20
        with open(self.path('source'), 'w') as f:
            f.write(self.source + '\n')
        with open(self.path('text'), 'w') as f:
            f.write('1 2  3\n11 0 ' * 25)

    def make(self, decoder, encoder=None):
        """A model file, and its stacks in NumPy."""
        rng = np.random.default_rng(5)
        stacks = {name: s for name, s in (('encoder', encoder), ('decoder', decoder)) if s}
        arrays = {}
        for name, s in stacks.items():
            arrays.update(weights(name, s, rng))
        config = {'model_type': 'seqring', 'license': 'CC0-1.0', 'tokenizer': tokenizer('words', WORDS),
                  'description': {'pooling': 'none', 'normalised': False, **stacks}}
        if encoder:
            config['source_tokenizer'] = tokenizer('characters', LETTERS, unknown=len(SPECIAL) + LETTERS.index('X'), last=EOS, end=-1)
        os.makedirs(self.path('folder'), exist_ok=True)
        with open(self.path('folder', 'config.json'), 'w') as f:
            json.dump(config, f)
        write_safetensors(self.path('folder', 'model.safetensors'), arrays)
        done = run('import', self.path('folder'), '-q', '-o', self.path('model.h5'))
        self.assertEqual((done.status, done.said), (0, []))
        return {name: Model(name, s, arrays) for name, s in stacks.items()}

    def run_model(self, *words, ranks=0):
        done = run('run', '-q', '--model', self.path('model.h5'), '--text', self.path('text'), '-o', self.path('o.h5'),
                   '--outputs=tokens,hidden,logprob', *words, ranks=ranks)
        self.assertEqual((done.status, done.said), (0, []))
        with h5py.File(self.path('o.h5')) as f:
            return f['tokens'][:], f['hidden'][:], f['logprob'][:]

    def check(self, out, model, source=None):
        ids, hidden, logprob = out
        np.testing.assert_allclose(hidden, model.hidden(ids, source), rtol=0, atol=5e-5)
        want = model.logprobs(ids, source)[np.arange(len(ids) - 1), ids[1:]]
        np.testing.assert_allclose(logprob, want, rtol=0, atol=5e-5)

    def test_parts(self):
        rotary = {'positions': 'rotary', 'rotary_width': 4, 'norm_place': 'before', 'final_norm': True}
        for changed in ({}, {'positions': 'sinusoidal', 'activation': 'gelu', 'head_bias': False},
                        {'positions': 'none', 'causal': False, 'activation': 'gelu_tanh', 'embedding_norm': True},
                        {'positions': 'alibi', 'norm_place': 'before', 'final_norm': True},
                        {'positions': 'alibi', 'heads': 6, 'kv_heads': 3, 'head_width': 4},
                        {**rotary, 'norm': 'rms', 'gated': True, 'activation': 'silu', 'qkv_bias': False},
                        {**rotary, 'rotary_pairs': 'halves', 'rotary_width': 6, 'rotary_factors': True, 'inner_bias': False},
                        {**rotary, 'query_key_norm': True, 'rotary_base': 100.0, 'output_bias': False},
                        {'head': 'tied', 'head_bias': False, 'embedding_scale': 3.0, 'query_key_norm': True, 'norm': 'rms'}):
            with self.subTest(changed=changed):
                model = self.make(stack(len(SPECIAL) + len(WORDS), **changed))['decoder']
                self.check(self.run_model(ranks=2), model)

    def test_far_sinks(self):
        """Sinks further back than the model has learned are met as its last position would meet them."""
        model = self.make(stack(len(SPECIAL) + len(WORDS), positions='rotary', rotary_width=6, context=40))['decoder']
        model.window, model.sinks = 15, 3
        files = set()
        for ranks, threads in SHAPES:
            self.check(self.run_model('--window=15,0', '--sinks=3', '--threads', threads, ranks=ranks), model)
            with open(self.path('o.h5'), 'rb') as f:
                files.add(f.read())
        self.assertEqual(len(files), 1)
        self.check_generated(model, '--window=15,0', '--sinks=3')

    def test_alibi(self):
        """The same file on any number of ranks, and generation with the same probabilities."""
        model, files = self.make(stack(len(SPECIAL) + len(WORDS), positions='alibi'))['decoder'], set()
        for ranks, threads in SHAPES:
            self.check(self.run_model('--threads', threads, ranks=ranks), model)
            with open(self.path('o.h5'), 'rb') as f:
                files.add(f.read())
        self.assertEqual(len(files), 1)
        self.check_generated(model)

    def check_generated(self, model, *words):
        """Greedy tokens behind the text are the most probable ones, or as probable but for rounding."""
        ids = list(self.run_model('--limit=35')[0])
        found = {run('generate', '-q', '--ids', '--model', self.path('model.h5'), '--text', self.path('text'), '--limit=35', '-n', 30,
                     *words, '--threads', threads, ranks=ranks).out for ranks, threads in SHAPES}
        self.assertEqual(len(found), 1)
        made = [int(word) for word in found.pop().split()]
        self.assertGreater(len(made), 3)
        for token in made:
            logprob = model.logprobs(np.array(ids))[-1]
            self.assertLess(logprob.max() - logprob[token], 1e-4)
            ids.append(token)

    def encoder_decoder(self, **changed):
        return self.make(stack(len(SPECIAL) + len(WORDS), cross_attention=True, **changed),
                         stack(len(SPECIAL) + len(LETTERS), causal=False, head='none', head_bias=False, **changed))

    def source_ids(self):
        return np.array([SOS, *(len(SPECIAL) + LETTERS.index(c) for c in self.source), EOS])

    def test_encoder_decoder(self):
        for changed in {}, {'norm_place': 'before', 'final_norm': True, 'query_key_norm': True}:
            models = self.encoder_decoder(**changed)
            source = models['encoder'].hidden(self.source_ids())
            files = set()
            for ranks, threads in SHAPES:
                out = self.run_model('--source', self.path('source'), '--threads', threads, ranks=ranks)
                self.check(out, models['decoder'], source)
                with open(self.path('o.h5'), 'rb') as f:
                    files.add(f.read())
            self.assertEqual(len(files), 1)

    def test_long_causal_source(self):
        """The rows of a source are dealt as those that attend to it take them, also where another way would be faster."""
        s = {'cross_attention': True, 'positions': 'sinusoidal'}
        self.make(stack(len(SPECIAL) + len(WORDS), **s), stack(len(SPECIAL) + len(LETTERS), head='none', head_bias=False, causal=True,
                                                               positions='sinusoidal'))
        with open(self.path('source'), 'w') as f:
            f.writelines(np.random.default_rng(2).choice(list(LETTERS), 18000))
        found = {tuple(x.tobytes() for x in self.run_model('--source', self.path('source'), ranks=ranks)) for ranks in (0, 3)}
        self.assertEqual(len(found), 1)

    def test_own_queries(self):
        """q, k and v of a layer are those of its attention to its own tokens."""
        model = self.encoder_decoder()['decoder']
        done = run('run', '-q', '--model', self.path('model.h5'), '--text', self.path('text'), '-o', self.path('o.h5'), '--layer=0',
                   '--source', self.path('source'), '--outputs=tokens,q,k')
        self.assertEqual((done.status, done.said), (0, []))
        with h5py.File(self.path('o.h5')) as f:
            ids, q, k = f['tokens'][:], f['q'][:], f['k'][:]
        model.s = {**model.s, 'layers': 0}
        for name, x in ('query', q), ('key', k):
            np.testing.assert_allclose(x.reshape(len(ids), -1), model.linear(f'0.{name}', model.hidden(ids)), rtol=0, atol=5e-5)

    def test_generate(self):
        """From nothing, and after a text: each token is the most probable, or as probable but for rounding."""
        models = self.encoder_decoder()
        source = models['encoder'].hidden(self.source_ids())
        for words in (), ('--text', self.path('text'), '--limit=30'):
            found = set()
            for ranks, threads in SHAPES:
                done = run('generate', '-q', '--ids', '--model', self.path('model.h5'), '--source', self.path('source'), *words,
                           '-n', 15, '--threads', threads, ranks=ranks)
                self.assertEqual((done.status, done.said), (0, []))
                found.add(done.out)
            self.assertEqual(len(found), 1)
            ids = [SOS] if not words else list(self.run_model('--source', self.path('source'), '--limit=30')[0])
            made = [int(word) for word in found.pop().split()]
            self.assertTrue(made)
            for token in made:
                logprob = models['decoder'].logprobs(np.array(ids), source)[-1]
                self.assertLess(logprob.max() - logprob[token], 1e-4)
                ids.append(token)

    def test_refused(self):
        self.encoder_decoder()
        model, text, out = self.path('model.h5'), self.path('text'), self.path('o.h5')
        self.refuse_command(2, ('there is none',), 'run', '--model', model, '--text', text, '-o', out)
        self.refuse_command(2, ('there is none',), 'generate', '--model', model, '--text', text)
        most = 'generate', '-q', '--model', model, '--source', self.path('source'), '-n'  # the last token that is made takes no place
        self.assertEqual(run(*most, CONTEXT).status, 0)
        self.refuse_command(3, (f'{CONTEXT} positions',), *most, CONTEXT + 1)
        with open(text, 'w') as f:
            f.write('1 2 twelve')
        self.refuse_command(3, ('byte 4', 'no token'), 'run', '--model', model, '--text', text, '--source', self.path('source'), '-o', out)
        self.make(stack(len(SPECIAL) + len(WORDS)))
        self.refuse_command(2, ('no encoder',), 'run', '--model', model, '--text', text, '--source', text, '-o', out)


if __name__ == '__main__':
    main()
