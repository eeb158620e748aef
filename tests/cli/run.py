#!/usr/bin/env python3
"""run: small models made here against NumPy in float64, the same bits on any number of ranks, and what is refused."""
import math
import os
import platform
import threading
import unittest

import h5py
import numpy as np

import bert
import gguf
from program import PROGRAM, Case, Refusal, command, main, run, run_command

ARGUMENT_ERROR, INPUT_ERROR, OUTPUT_ERROR = 2, 3, 4
NAMES = 'tokens', 'offsets', 'logprob', 'hidden', 'embedding', 'surprise', 'units', 'q', 'k', 'v'
SHAPES = (0, 1), (1, 2), (2, 1), (3, 1), (5, 2)


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def attend(q, k, v, seen=None):
    """[tokens, heads, width]; fewer heads of k and v."""
    k, v = (np.repeat(x, q.shape[1] // k.shape[1], axis=1) for x in (k, v))
    scores = np.einsum('ihd,jhd->hij', q, k) / math.sqrt(q.shape[2])
    if seen is not None:
        scores[:, ~seen] = -np.inf
    return np.einsum('hij,jhd->ihd', softmax(scores), v).reshape(len(q), -1)


def rms(x, weight, epsilon=float(np.float32(1e-5))):
    return x / np.sqrt((x ** 2).mean(axis=1, keepdims=True) + epsilon) * weight


def layer_norm(x, weight, bias, epsilon=1e-12):
    x = x - x.mean(axis=1, keepdims=True)
    return x / np.sqrt((x ** 2).mean(axis=1, keepdims=True) + epsilon) * weight + bias


def turned(x):
    """Rotary positions, of neighbours as pairs."""
    half = x.shape[2] // 2
    angle = np.arange(len(x))[:, None] * 10000.0 ** (-np.arange(half) / half)
    c, s = np.cos(angle)[:, None], np.sin(angle)[:, None]
    a, b = x[..., 0::2], x[..., 1::2]
    return np.stack([a * c - b * s, a * s + b * c], axis=-1).reshape(x.shape)


def decoder(ids, arrays, left=math.inf, sinks=0, layers=gguf.LAYERS):
    """Hidden states, log-probabilities of the next tokens, and q, k and v of the last layer, of gguf.py's model."""
    w = {name.removesuffix('.weight'): x.astype('f8') for name, x in arrays.items()}
    width, h = gguf.WIDTH // gguf.HEADS, w['token_embd'][ids]
    at, key = np.arange(len(ids))[:, None], np.arange(len(ids))
    seen = (key <= at) & ((key >= at - left) | (key < sinks))
    for i in range(layers):
        x = rms(h, w[f'blk.{i}.attn_norm'])
        q, k, v = ((x @ w[f'blk.{i}.attn_{n}'].T).reshape(len(ids), -1, width) for n in 'qkv')
        qkv = turned(q), turned(k), v
        h = h + attend(*qkv, seen) @ w[f'blk.{i}.attn_output'].T
        x = rms(h, w[f'blk.{i}.ffn_norm'])
        gate = x @ w[f'blk.{i}.ffn_gate'].T
        h = h + (gate / (1 + np.exp(-gate)) * (x @ w[f'blk.{i}.ffn_up'].T)) @ w[f'blk.{i}.ffn_down'].T
    if layers < gguf.LAYERS:
        return h, qkv
    h = rms(h, w['output_norm'])
    logits = h @ w['token_embd'].T
    return h, np.log(softmax(logits)[np.arange(len(ids) - 1), ids[1:]])


def encoder(ids, arrays):
    """Hidden states of bert.py's model."""
    w = {name: x.astype('f8') for name, x in arrays.items()}

    def linear(x, name):
        return x @ w[f'{name}.weight'].T + w[f'{name}.bias']

    def norm(x, name):
        return layer_norm(x, w[f'{name}.LayerNorm.weight'], w[f'{name}.LayerNorm.bias'])

    h = w['embeddings.word_embeddings.weight'][ids] + w['embeddings.position_embeddings.weight'][:len(ids)]
    h = norm(h + w['embeddings.token_type_embeddings.weight'][0], 'embeddings')
    erf = np.vectorize(math.erf)
    for i in range(bert.LAYERS):
        at = f'encoder.layer.{i}.'
        q, k, v = (linear(h, f'{at}attention.self.{n}').reshape(len(ids), bert.HEADS, -1) for n in ('query', 'key', 'value'))
        h = norm(h + linear(attend(q, k, v), f'{at}attention.output.dense'), f'{at}attention.output')
        x = linear(h, f'{at}intermediate.dense')
        h = norm(h + linear(x * (1 + erf(x / math.sqrt(2))) / 2, f'{at}output.dense'), f'{at}output')
    return h


class Run(Case):
    def model(self, source, *words):
        to = self.path('model.h5')
        self.assertEqual(run('import', source, '-q', '-o', to, *words).status, 0)
        return to

    def decoder_model(self, *words, arrays=None):
        return self.model(gguf.write(self.path('model.gguf'), arrays=arrays), *words)

    def text(self, content, name='text'):
        with open(self.path(name), 'w') as f:
            f.write(content)
        return self.path(name)

    def run_model(self, model, text, *words, ranks=0, warnings=0):
        done = run('run', '-q', '--model', model, '--text', text, '-o', self.path('o.h5'), *words, ranks=ranks)
        warned = [line for line in done.warned if 'will be slow' not in line]
        self.assertEqual((done.status, done.said, len(warned)), (0, [], warnings), warned)
        return {name: x[:] for name, x in h5py.File(self.path('o.h5')).items() if name in NAMES}

    def test_decoder(self):
        arrays = gguf.quiet_tensors()
        text = self.text('the an7 the, ' * 80)
        out = self.run_model(self.decoder_model(arrays=arrays), text, '--outputs=tokens,offsets,logprob,hidden', ranks=2)
        hidden, logprob = decoder(out['tokens'], arrays)
        np.testing.assert_allclose(out['hidden'], hidden, rtol=0, atol=2e-5)
        np.testing.assert_allclose(out['logprob'], logprob, rtol=0, atol=2e-5)
        self.assertEqual(list(out['offsets'][:5]), [0, 3, 6, 7, 11])

    def test_window(self):
        arrays, text = gguf.quiet_tensors(), self.text('the an7 the, ' * 90)
        model = self.decoder_model(arrays=arrays)
        for left, sinks in (50, 4), (7, 0), (0, 1), (2000, 3):
            out = self.run_model(model, text, '--threads=1', f'--window={left},0', '--sinks', sinks, ranks=2,
                                 warnings=int(sinks == 0))
            want = decoder(out['tokens'], arrays, left, sinks)[1]
            np.testing.assert_allclose(out['logprob'], want, rtol=0, atol=2e-5)

    def test_wide_window(self):
        """Wider than what the model was trained on: that is said."""
        model, text = self.decoder_model(), self.text('the an7 the, ' * 900)
        self.run_model(model, text, '--window=4200,0', '--sinks=2', '--limit=4300', '--outputs=tokens', warnings=1)
        self.run_model(model, text, '--window=4095,0', '--sinks=2', '--limit=4300', '--outputs=tokens')

    def test_documents(self):
        """Each is as if it were alone, and begins without a prediction."""
        arrays = gguf.quiet_tensors()
        model = self.decoder_model(arrays=arrays)
        content = 'the an7 the\n\nan the 7\nthe\n\n\n the the an an\n'
        parts = {'line': content.splitlines(keepends=True), 'blank-line': ['the an7 the\n\n', 'an the 7\nthe\n\n\n ', 'the the an an\n']}
        text, other = self.text(content), self.text('the 7', 'other')
        for how, documents in parts.items():
            out = self.run_model(model, text, other, '--documents', how, '--outputs=tokens,offsets,logprob,hidden,units', ranks=2)
            self.check_documents(out, [*documents, 'the 7'], arrays)
        out = self.run_model(model, text, '--text', other, '--documents=file', '--outputs=tokens,offsets,logprob,hidden,units')
        self.check_documents(out, [content, 'the 7'], arrays)
        out = self.run_model(model, text, other, '--outputs=tokens,offsets,logprob,hidden,units')
        self.check_documents(out, [content + 'the 7'], arrays)
        out = self.run_model(model, text, '--unit=line', '--outputs=units')
        self.assertEqual(list(out['units']), [0, *np.cumsum([len(line) for line in parts['line']])[:-1]])

    def check_documents(self, out, documents, arrays):
        begins = np.cumsum([0] + [len(part) for part in documents])
        self.assertEqual(list(out['units']), list(begins[:-1]))
        rows = [np.flatnonzero((out['offsets'] >= begin) & (out['offsets'] < end)) for begin, end in zip(begins, begins[1:])]
        self.assertEqual(sum(len(row) for row in rows), len(out['tokens']))
        for row in rows:
            hidden, logprob = decoder(out['tokens'][row], arrays)[:2]
            np.testing.assert_allclose(out['hidden'][row], hidden, rtol=0, atol=2e-5)
            np.testing.assert_allclose(out['logprob'][row[:-1]], logprob, rtol=0, atol=2e-5)
        self.assertTrue(np.isnan(out['logprob'][[row[-1] for row in rows[:-1]]]).all())

    def test_layer(self):
        """A layer's states and what its attention reads, which attend takes as they are."""
        arrays, text = gguf.quiet_tensors(), self.text('the an7 the, ' * 80)
        model = self.decoder_model(arrays=arrays)
        out = self.run_model(model, text, '--layer=0', '--outputs=tokens,hidden,q,k,v', ranks=2)
        hidden, qkv = decoder(out['tokens'], arrays, layers=1)
        for name, want in zip(('hidden', 'q', 'k', 'v'), (hidden, *qkv)):
            np.testing.assert_allclose(out[name], want, rtol=0, atol=2e-5)
        both = self.run_model(model, text, '--layer=0', '--outputs=hidden,q,k,v,logprob')
        np.testing.assert_array_equal(both['q'], out['q'])
        np.testing.assert_allclose(both['logprob'], decoder(out['tokens'], arrays)[1], rtol=0, atol=2e-5)
        self.assertEqual(run('attend', self.path('o.h5'), '-q', '--causal', '-o', self.path('attended.h5')).status, 0)

    def test_embedding(self):
        """Mean, first and last, of documents and of parts of them, long ones over several ranks."""
        line = 'the unables of the'
        text = self.text('\n'.join([line, 'the e.', '', 'un . ' * 5, line]))
        for pooling, pick in (('mean', lambda h: h.mean(axis=0)), ('cls', lambda h: h[0]), ('last', lambda h: h[-1])):
            model = self.model(bert.write(self.path('bert'), pooling=pooling))
            out = self.run_model(model, text, '--documents=line', '--outputs=tokens,embedding,units,hidden', ranks=3)
            begin = [*np.flatnonzero(out['tokens'] == bert.WORDS.index('[CLS]')), len(out['tokens'])]
            self.assertEqual(len(out['embedding']), 5)
            for i, (a, b) in enumerate(zip(begin, begin[1:])):
                hidden = encoder(out['tokens'][a:b], bert.tensors())
                want = pick(hidden)
                np.testing.assert_allclose(out['embedding'][i], want / np.linalg.norm(want), rtol=0, atol=5e-6)
            np.testing.assert_allclose(out['embedding'][0], out['embedding'][4], rtol=0, atol=1e-6)
            found = {}
            long = self.text('\n'.join(['the un'] * 3 + ['.' * 40]) + '\n', 'long')
            for ranks in 0, 2, 3:
                self.run_model(model, long, *[long] * 60, '--documents=file', '--unit=line', '--outputs=embedding,hidden,offsets', ranks=ranks)
                with open(self.path('o.h5'), 'rb') as f:
                    found[f.read()] = ranks
            self.assertEqual(len(found), 1)

    def surprises(self, out, documents):
        """Of each unit: the mean over its tokens but one that begins a document, NaN where there is no other."""
        unit = np.searchsorted(out['units'], out['offsets'], 'right') - 1
        begins = {np.flatnonzero(out['offsets'] >= offset)[0] for offset in documents}
        want = []
        for i in range(len(out['units'])):
            tokens = [t for t in np.flatnonzero(unit == i) if t not in begins]
            want.append(np.mean([-out['logprob'][t - 1].astype('f8') for t in tokens]) if tokens else np.nan)
        return np.array(want)

    def test_surprise(self):
        """Lines over several ranks, whose first tokens another rank may have predicted; with files as documents."""
        model = self.decoder_model(arrays=gguf.quiet_tensors())
        line = 'the an7 the, ' * 9
        text, found = self.text('\n'.join([line] * 40 + ['', 'a', line * 9])), set()
        for ranks in 0, 2, 3:
            out = self.run_model(model, text, '--unit=line', '--outputs=surprise,logprob,offsets,units', ranks=ranks)
            np.testing.assert_allclose(out['surprise'], self.surprises(out, [0]), rtol=0, atol=1e-6)
            found.add(out['surprise'].tobytes())
        self.assertEqual(len(found), 1)
        out = self.run_model(model, text, text, '--documents=file', '--unit=line', '--outputs=surprise,logprob,offsets,units')
        np.testing.assert_allclose(out['surprise'], self.surprises(out, [0, os.path.getsize(text)]), rtol=0, atol=1e-6)

    @unittest.skipUnless(platform.machine() == 'x86_64', 'the kernels named are for x86-64')
    def test_kernels_that_differ(self):
        """Ranks whose OpenBLAS computes otherwise, as on nodes of several kinds, are refused: bits would depend on them."""
        words = command('run', '-q', '--model', self.decoder_model(), '--text', self.text('the an7'), '-o', self.path('o.h5'),
                        ranks=1)
        other = '-n', '1', '-x', 'OPENBLAS_CORETYPE=Nehalem'
        done = run_command([*words, ':', *other, *words[words.index(PROGRAM):]])
        self.check_refusal(Refusal(ARGUMENT_ERROR, ('OpenBLAS', 'OPENBLAS_CORETYPE'), ()), done)
        self.assertFalse(os.path.exists(self.path('o.h5')))

    def test_surprise_of_none(self):
        """A unit whose only token begins a document has none, and is not among the most surprising ones."""
        model, one = self.decoder_model(arrays=gguf.quiet_tensors()), self.text('a', 'one')
        text = self.text('the the\nan\n')
        done = run('run', '-q', '--model', model, '--text', one, text, '--documents=file', '--unit=line', '--top=9',
                   '--outputs=surprise', '-o', self.path('o.h5'))
        self.assertEqual((done.status, done.said), (0, []))
        with h5py.File(self.path('o.h5')) as f:
            self.assertEqual(list(np.isnan(f['surprise'])), [True, False, False])
        self.assertEqual(len([row for row in done.out.splitlines() if row.strip() and 'surprise' not in row]), 2)

    def test_nonfinite(self):
        """What a model cannot predict is told, by one rank."""
        arrays = gguf.quiet_tensors()
        arrays['output_norm.weight'] = np.full_like(arrays['output_norm.weight'], np.nan)
        model, text = self.decoder_model(arrays=arrays), self.text('the an7 the')
        for ranks in 0, 2:
            done = run('run', '-q', '--model', model, '--text', text, '-o', self.path('o.h5'), ranks=ranks)
            self.assertEqual((done.status, done.said, len(done.warned)), (0, [], 1))
            with h5py.File(self.path('o.h5')) as f:
                self.assertIn(f'{len(f["logprob"])} tokens have', done.warned[0])

    def test_top(self):
        """The most surprising units are printed, over several files, as they begin there."""
        model = self.decoder_model(arrays=gguf.quiet_tensors())
        lines = [f'the an{i} the' for i in range(9)]
        first, second = self.text('\n'.join(lines[:4]) + '\n', 'first'), self.text('\n'.join(lines[4:]), 'second')
        done = run('run', '-q', '--model', model, '--text', first, second, '--unit=line', '--outputs=surprise', '--top=3', '-o',
                   self.path('o.h5'), ranks=2)
        self.assertEqual((done.status, done.said), (0, []))
        with h5py.File(self.path('o.h5')) as f:
            surprise = f['surprise'][:]
        rows = [row.split(None, 3) for row in done.out.splitlines() if row.strip() and 'surprise' not in row]
        rows = [(unit, value, text) for unit, value, byte, text in rows]
        order = np.argsort(-surprise, kind='stable')[:3]
        self.assertEqual([(int(unit), text) for unit, _, text in rows], [(i + 1, lines[i]) for i in order])
        np.testing.assert_allclose([float(value) for _, value, _ in rows], surprise[order], atol=1e-4)

    def test_top_of_a_pipe(self):
        """What cannot be read again is not printed, nor what lies behind it."""
        model, pipe = self.decoder_model(arrays=gguf.quiet_tensors()), self.path('pipe')
        os.mkfifo(pipe)
        text = self.text('a second text the thing\n')
        writer = threading.Thread(target=self.text, args=('the man\nan apple the hat\n', 'pipe'))
        writer.start()
        done = run('run', '-q', '--model', model, '--text', pipe, text, '--unit=line', '--outputs=surprise', '--top=3', '-o',
                   self.path('o.h5'))
        writer.join()
        self.assertEqual((done.status, done.said), (0, []))
        rows = [row.split() for row in done.out.splitlines() if row.strip() and 'surprise' not in row]
        self.assertEqual((sorted(row[0] for row in rows), {len(row) for row in rows}), (['1', '2', '3'], {3}))

    def test_questions(self):
        """Each finds the lines that are nearest to it, itself first where it is one of them."""
        model = self.model(bert.write(self.path('bert')))
        lines = ['the the', 'unable .', 'e e the', 'un s', '. . . the']
        text, questions = self.text('\n'.join(lines) + '\n'), self.text('unable .\ne e the\n', 'questions')
        outs = set()
        for ranks in 0, 2:
            done = run('run', '-q', '--model', model, '--text', text, '--documents=line', '--outputs=embedding', '--top=2',
                       '--questions', questions, '-o', self.path('o.h5'), ranks=ranks)
            self.assertEqual((done.status, done.said), (0, []))
            outs.add(done.out)
        self.assertEqual(len(outs), 1)
        with h5py.File(self.path('o.h5')) as f:
            cosines = f['embedding'][:] @ f['embedding'][:].T
        rows, begin = [row.split(None, 3) for row in done.out.splitlines()[2:]], np.cumsum([0, *(len(x) + 1 for x in lines)])
        for at, question in (0, 1), (3, 2):
            self.assertEqual(' '.join(rows[at]), lines[question])
            order = np.argsort(-cosines[question], kind='stable')[:2]
            for row, unit in zip(rows[at + 1:at + 3], order):
                self.assertEqual((int(row[0]), int(row[2]), row[3]), (unit + 1, begin[unit], lines[unit]))
                self.assertAlmostEqual(float(row[1]), cosines[question][unit], delta=2e-4)

    def test_config(self):
        model, text = self.decoder_model(arrays=gguf.quiet_tensors()), self.text('the an7 the')
        with open(self.path('run.yaml'), 'w') as f:
            f.write(f'model: {model}\ntext: {text}\noutputs: surprise,units\nunit: line\nlimit: 3\n')
        done = run('run', '-q', '--config', self.path('run.yaml'), '-o', self.path('o.h5'), '--outputs=surprise,tokens')
        self.assertEqual((done.status, done.said), (0, []))
        with h5py.File(self.path('o.h5')) as f:
            self.assertEqual((len(f['tokens']), 'units' in f), (3, False))
        with open(self.path('run.yaml'), 'a') as f:
            f.write('causal: yes\n')
        self.refuse(ARGUMENT_ERROR, ("'causal'",), '--config', self.path('run.yaml'), '-o', self.path('p.h5'))

    def test_long_units(self):
        """Units of more tokens than a rank has at a time."""
        folder = bert.write(self.path('bert'), pooling='mean', context=3000)
        out = None
        text = self.text('the ' * 1500 + '\n' + 'un ' * 1400)
        for ranks in 0, 2, 3:
            got = self.run_model(self.model(folder), text, '--unit=line', '--outputs=embedding,hidden,tokens', ranks=ranks)
            cut = 1501
            for row, hidden in zip(got['embedding'], (got['hidden'][:cut], got['hidden'][cut:])):
                want = hidden.astype('f8').mean(axis=0)
                np.testing.assert_allclose(row, want / np.linalg.norm(want), rtol=0, atol=1e-6)
            if out is not None:
                np.testing.assert_array_equal(got['embedding'], out)
            out = got['embedding']

    def test_encoder(self):
        model = self.model(bert.write(self.path('bert')))
        out = self.run_model(model, self.text('The unables of the.'), '--outputs=tokens,hidden')
        self.assertEqual(out['tokens'][0], bert.WORDS.index('[CLS]'))
        np.testing.assert_allclose(out['hidden'], encoder(out['tokens'], bert.tensors()), rtol=0, atol=2e-5)

    def chunked(self, ids, overlap, arrays):
        """Hidden states of a document, each of the chunk in which its token is furthest from a cut, of equals the last."""
        body, n = ids[1:-1], bert.CONTEXT - 2
        last = len(body) - n
        starts = [*range(0, last, n - overlap), last] if last > 0 else [0]
        chunks = [(start, encoder(np.array([ids[0], *body[start:start + n], ids[-1]]), arrays)) for start in starts]

        def depth(at, start):
            left = at - start if start > 0 else len(ids)
            right = start + n - 1 - at if start + n < len(body) else len(ids)
            return min(left, right)

        rows = [chunks[0][1][0]]
        for at in range(len(body)):
            start, hidden = max(((s, h) for s, h in chunks if s <= at < s + n), key=lambda c: (depth(at, c[0]), c[0]))
            rows.append(hidden[1 + at - start])
        return np.array([*rows, chunks[-1][1][-1]])

    def test_chunks(self):
        rng, arrays, found = np.random.default_rng(1), bert.tensors(), set()
        lines = [' '.join(rng.choice(['the', 'un', 'e', '.'], n)) for n in (90, 60, 61, 62, 63, 0, 300, 7)]
        texts = [self.text(lines[0] + '\n' + lines[1], 'first'), *(self.text(line + ' the', f't{i}') for i, line in enumerate(lines[2:]))]
        model = self.model(bert.write(self.path('bert'), pooling='mean'))
        for overlap, ranks in (20, 0), (20, 2), (20, 3), (0, 2), (61, 2):
            out = self.run_model(model, texts[0], *texts[1:], '--documents=file', '--unit=line', '--chunk-overlap', overlap,
                                 '--outputs=tokens,offsets,hidden,embedding,units', ranks=ranks)
            begin = [*np.flatnonzero(out['tokens'] == bert.WORDS.index('[CLS]')), len(out['tokens'])]
            self.assertEqual(len(begin), len(texts) + 1)
            want = np.concatenate([self.chunked(out['tokens'][a:b], overlap, arrays) for a, b in zip(begin, begin[1:])])
            np.testing.assert_allclose(out['hidden'], want, rtol=0, atol=2e-4)
            second = np.searchsorted(out['offsets'], out['units'][1])
            units = [0, second, *begin[1:]]
            self.assertEqual(len(out['embedding']), len(units) - 1)
            for row, a, b in zip(out['embedding'], units, units[1:]):
                mean = want[a:b].mean(axis=0)
                np.testing.assert_allclose(row, mean / np.linalg.norm(mean), rtol=0, atol=5e-5)
            if overlap == 20:
                with open(self.path('o.h5'), 'rb') as f:
                    found.add(f.read())
        self.assertEqual(len(found), 1)
        for pooling, pick in (('cls', 0), ('last', -1)):
            model = self.model(bert.write(self.path('bert'), pooling=pooling))
            out = self.run_model(model, texts[0], '--chunk-overlap=9', '--outputs=tokens,embedding', ranks=2)
            want = self.chunked(out['tokens'], 9, arrays)[pick]
            np.testing.assert_allclose(out['embedding'][0], want / np.linalg.norm(want), rtol=0, atol=5e-5)

    def test_narrow_weights(self):
        arrays, text = gguf.quiet_tensors(), self.text('the an7 the, ' * 20)
        for words in ('--weights=bfloat16', '--weights=int8'):
            model = self.decoder_model(words, arrays=arrays)
            out = self.run_model(model, text)
            with h5py.File(model) as f:
                kept = {}
                for name, x in arrays.items():
                    mine = {'token_embd': 'decoder.embedding', 'output_norm': 'decoder.final_norm'}.get(name[:-7])
                    if not mine:
                        layer, part = name[4], name[6:-7]
                        mine = f'decoder.{layer}.' + {'attn_norm': 'attention_norm', 'attn_q': 'query', 'attn_k': 'key',
                                                      'attn_v': 'value', 'attn_output': 'output', 'ffn_norm': 'inner_norm',
                                                      'ffn_gate': 'gate', 'ffn_up': 'up', 'ffn_down': 'down'}[part]
                    w = f[mine + '.weight'][:]
                    if w.dtype == 'u2':
                        w = (w.astype('u4') << 16).view('f4')
                    if w.dtype == 'i1':
                        w = w * f[mine + '.weight.scale'][:][:, None]
                    kept[name] = w
            np.testing.assert_allclose(out['logprob'], decoder(out['tokens'], kept)[1], rtol=0, atol=2e-5)

    def test_types_side_by_side(self):
        """A model file whose matrices are of several types gives what it gives with all of them as float32."""
        arrays, text = gguf.quiet_tensors(), self.text('the an7 the, ' * 20)
        name, mine = 'blk.1.ffn_gate.weight', 'decoder.1.gate.weight'
        bits = arrays[name].view('u4') & 0xffff0000
        arrays[name] = bits.view('f4')
        model = self.decoder_model(arrays=arrays)
        want = self.run_model(model, text)['logprob']
        with h5py.File(model, 'r+') as f:
            del f[mine]
            f[mine] = (bits >> 16).astype('u2')
            f[mine].attrs['dtype'] = 'bfloat16'
        np.testing.assert_array_equal(self.run_model(model, text)['logprob'], want)

    def test_same_file(self):
        """3,300 tokens: runs of 1,024 are dealt."""
        model, text, files = self.decoder_model(arrays=gguf.quiet_tensors()), self.text('the an7 the, ' * 300), set()
        for ranks, threads in SHAPES:
            self.run_model(model, text, '--threads', threads, '--limit=2900', '--outputs=tokens,offsets,logprob,hidden',
                           ranks=ranks)
            with open(self.path('o.h5'), 'rb') as f:
                files.add(f.read())
        self.assertEqual(len(files), 1)

    def test_dry_run(self):
        model, text = self.decoder_model(), self.text('the an7 the, ' * 300)
        done = run('run', '--dry-run', '--model', model, '--text', text, ranks=2)
        self.assertEqual((done.status, done.said), (0, []))
        for word in 'memory', 'activations', '1501 tokens', '2 ranks':
            self.assertIn(word, done.out)
        self.assertFalse(os.path.exists(self.path('o.h5')))

    def test_machine(self):
        """Costs are measured and kept, then read; a file of another kind is refused."""
        model, text, machine = self.decoder_model(), self.text('the an7 the, ' * 30), self.path('machine.json')
        for _ in range(2):
            done = run('run', '--dry-run', '--model', model, '--text', text, '--machine', machine, ranks=2)
            self.assertEqual((done.status, done.said), (0, []))
            with open(machine) as f:
                self.assertIn('seqring_costs', f.read())
        self.refuse(INPUT_ERROR, (text, 'costs'), '--model', model, '--text', text, '-o', self.path('o.h5'), '--machine', text)

    def test_nothing_computed(self):
        done = run('run', '--model', self.decoder_model(), '--text', self.text('the an7'), '-o', self.path('o.h5'), '--outputs=tokens')
        self.assertEqual((done.status, done.said), (0, []))
        self.assertNotIn('speed', done.out)

    def test_few_tokens(self):
        arrays = gguf.quiet_tensors()
        model, text = self.decoder_model(arrays=arrays), self.text('the an7')
        for limit in (2, 3):
            out = self.run_model(model, text, '--limit', limit, ranks=2)
            self.assertEqual((len(out['tokens']), len(out['logprob'])), (limit, limit - 1))
            np.testing.assert_allclose(out['logprob'], decoder(out['tokens'], arrays)[1], rtol=0, atol=2e-5)

    def refuse(self, status, expected, *words):
        self.refuse_command(status, expected, 'run', *words, rank_counts=(0, 2))

    def test_refused(self):
        model, text, out = self.decoder_model(), self.text('the an7'), self.path('o.h5')
        empty = self.path('empty')
        open(empty, 'w').close()
        self.refuse(INPUT_ERROR, (empty, 'empty'), '--model', model, '--text', empty, '-o', out)
        self.refuse(INPUT_ERROR, (self.folder, 'directory'), '--model', model, '--text', self.folder, '-o', out)
        for far in self.path('none'), self.path('a' * 200, *['b' * 200] * 6):
            self.refuse(INPUT_ERROR, ('No such file',), '--model', model, '--text', far, '-o', out)
        self.refuse(INPUT_ERROR, (text,), '--model', text, '--text', text, '-o', out)
        self.refuse(INPUT_ERROR, ('one token',), '--model', model, '--text', text, '-o', out, '--limit=1')
        self.refuse(ARGUMENT_ERROR, ('no output',), '--model', model, '--text', text)
        self.refuse(ARGUMENT_ERROR, ('no model',), '--text', text, '-o', out)
        self.refuse(ARGUMENT_ERROR, ('is the text',), '--model', model, '--text', text, '-o', text)
        for option, what in ('--source', 'is the source'), ('--questions', 'is the file of questions'):
            self.refuse(ARGUMENT_ERROR, (what,), '--model', model, '--text', text, option, empty, '-o', empty)
        self.refuse(ARGUMENT_ERROR, ('--outputs', "'logits'"), '--model', model, '--text', text, '-o', out, '--outputs=tokens,logits')
        self.refuse(ARGUMENT_ERROR, ('layer 9', 'last of its layers is 1'), '--model', model, '--text', text, '-o', out,
                    '--layer=9', '--outputs=q')
        self.refuse(ARGUMENT_ERROR, ('q, k and v',), '--model', model, '--text', text, '-o', out, '--outputs=k')
        self.refuse(ARGUMENT_ERROR, ('layer',), '--model', model, '--text', text, '-o', out, '--layer=1')
        self.refuse(ARGUMENT_ERROR, ('unit',), '--model', model, '--text', text, '-o', out, '--unit=line')
        self.refuse(ARGUMENT_ERROR, ('several documents',), '--model', model, '--text', text, '-o', out, '--outputs=units', '--unit=file',
                    '--documents=line')
        self.refuse(ARGUMENT_ERROR, ('questions',), '--model', model, '--text', text, '-o', out, '--questions', text)
        self.refuse(ARGUMENT_ERROR, ('surprising',), '--model', model, '--text', text, '-o', out, '--top=3')
        self.refuse(ARGUMENT_ERROR, ('pooled',), '--model', model, '--text', text, '-o', out, '--outputs=embedding')
        self.refuse(INPUT_ERROR, (empty, 'empty'), '--model', model, '--text', text, empty, '-o', out)
        self.refuse(OUTPUT_ERROR, ('is the input',), '--model', model, '--text', text, '-o', model)
        config, machine = self.text(f'model: {model}\ntext: {text}\n', 'run.yaml'), self.path('machine.json')
        self.refuse(ARGUMENT_ERROR, (config, 'config'), '--config', config, '-o', config)
        self.refuse(ARGUMENT_ERROR, (machine, 'machine'), '--model', model, '--text', text, '-o', machine, '--machine', machine)

    def test_refused_by_encoder(self):
        model, out = self.model(bert.write(self.path('bert'))), self.path('o.h5')
        self.refuse(ARGUMENT_ERROR, ('logprob',), '--model', model, '--text', self.text('the'), '-o', out, '--outputs=logprob')
        text = self.text('the ' * 70)
        self.refuse(INPUT_ERROR, (text, f'{bert.CONTEXT} positions'), '--model', model, '--text', text, '-o', out)
        self.refuse(INPUT_ERROR, (f'{text}: a text of 72 tokens',), '--model', model, '--text', self.text('the un', 'short'), '-o', out,
                    '--outputs=embedding', '--top=1', '--questions', text)
        self.refuse(ARGUMENT_ERROR, ('room for 62',), '--model', model, '--text', text, '-o', out, '--chunk-overlap=62')
        model = self.decoder_model()
        self.refuse(ARGUMENT_ERROR, ('encoders',), '--model', model, '--text', text, '-o', out, '--chunk-overlap=2')


if __name__ == '__main__':
    main()
