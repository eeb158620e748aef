#!/usr/bin/env python3
"""import and tokenize: small models made here, what is wrong with others, and model files that are damaged."""
import json
import os

import h5py
import numpy as np

import bert
import gguf
from program import Case, main, run

ARGUMENT_ERROR, INPUT_ERROR, OUTPUT_ERROR = 2, 3, 4


def as_bfloat16(x):
    bits = x.view('u4')
    return ((bits + 0x7fff + (bits >> 16 & 1)) >> 16).astype('u2')


class Models(Case):
    def make(self, **how):
        return gguf.write(self.path('model.gguf'), **how)

    def import_from(self, path, *words, ranks=0):
        """Imports, which must succeed; returns the model file."""
        to = self.path('model.h5')
        done = run('import', path, '-o', to, *words, ranks=ranks)
        self.assertEqual((done.status, done.said), (0, []))
        return to

    def refuse_import(self, *expected, **how):
        path = self.make(**how)
        self.refuse_command(INPUT_ERROR, (path, *expected), 'import', path, '-o', self.path('model.h5'))

    def test_weights(self):
        arrays = gguf.tensors()
        with h5py.File(self.import_from(self.make())) as f:
            self.assertEqual((f.attrs['format'], f.attrs['license'], f.attrs['complete']), ('seqring model 1', 'CC0-1.0', 1))
            model = json.loads(f.attrs['model'])
            self.assertEqual(model['description']['decoder']['kv_heads'], gguf.KV_HEADS)
            self.assertEqual(model['description']['decoder']['head'], 'tied')
            np.testing.assert_array_equal(f['decoder.embedding.weight'], arrays['token_embd.weight'])
            np.testing.assert_array_equal(f['decoder.1.down.weight'], arrays['blk.1.ffn_down.weight'])
            np.testing.assert_array_equal(f['decoder.0.attention_norm.weight'], arrays['blk.0.attn_norm.weight'])
            weights = [name for name in f if name.startswith('decoder.')]
            self.assertEqual(len(weights), len(arrays))

    def test_types_of_weights(self):
        arrays, source = gguf.tensors(), self.make()
        with h5py.File(self.import_from(source, '--weights=bfloat16')) as f:
            np.testing.assert_array_equal(f['decoder.0.up.weight'], as_bfloat16(arrays['blk.0.ffn_up.weight']))
            self.assertEqual(f['decoder.0.up.weight'].attrs['dtype'], 'bfloat16')
            self.assertEqual(f['decoder.final_norm.weight'].dtype, 'f4')
        with h5py.File(self.import_from(source, '--weights=int8')) as f:
            got = f['decoder.0.up.weight'][:] * f['decoder.0.up.weight.scale'][:][:, None]
            want = arrays['blk.0.ffn_up.weight']
            self.assertEqual(f['decoder.0.up.weight'].dtype, 'i1')
            self.assertEqual(np.abs(f['decoder.0.up.weight'][:]).max(), 127)
            self.assertLessEqual(np.max(np.abs(got - want) / np.abs(want).max(axis=1, keepdims=True)), 0.51 / 127)

    def test_rows_that_are_not_finite(self):
        """No integer is NaN or Inf: a row that has one is NaN as a whole, by its scale."""
        for bad in (np.nan, np.inf, -np.inf):
            arrays = gguf.tensors()
            arrays['blk.0.ffn_up.weight'][3, 5] = bad
            with h5py.File(self.import_from(self.make(arrays=arrays), '--weights=int8')) as f:
                self.assertEqual(list(np.flatnonzero(~np.isfinite(f['decoder.0.up.weight.scale'][:]))), [3])
                self.assertEqual(set(f['decoder.0.up.weight'][3]), {0})

    def test_name_of_source(self):
        """What is no UTF-8 is told all the same, and of a folder its name."""
        path = os.fsencode(self.folder) + b'/mod\xe8le.gguf'
        os.rename(self.make(), path)
        for source, start in (os.fsdecode(path), 'mod'), (bert.write(self.path('bert')) + '/', 'bert'):
            with h5py.File(self.import_from(source)) as f:
                self.assertTrue(json.loads(f.attrs['provenance'])['source'].startswith(start))

    def test_same_file(self):
        files = set()
        for ranks in (0, 2):
            with open(self.import_from(self.make(), ranks=ranks), 'rb') as f:
                files.add(f.read())
        self.assertEqual(len(files), 1)

    def test_tokens(self):
        model = self.import_from(self.make())
        words = {word: 257 + i for i, word in enumerate(gguf.WORDS)}
        self.assertEqual(self.tokens_of(model, b'the the an7 and'),
                         [words['the'], words[' the'], words[' an'], 1 + ord('7'), words[' an'], 1 + ord('d')])
        self.assertEqual(self.tokens_of(model, b''), [])
        self.assertEqual(self.tokens_of(model, b'\xff\n'), [1 + 0xff, 1 + ord('\n')])
        self.assertEqual(self.tokens_of(model, b'<|end|>')[0], 1 + ord('<'))
        self.assertEqual(self.tokens_of(model, b'the' * 100000), [words['the']] * 100000)

    def test_wrong_tensors(self):
        arrays = gguf.tensors()
        lacking = {name: x for name, x in arrays.items() if name != 'blk.1.ffn_up.weight'}
        self.refuse_import("'blk.1.ffn_up.weight'", 'missing', arrays=lacking)
        self.refuse_import("'blk.2.attn_q.weight'", 'no place', arrays={**arrays, 'blk.2.attn_q.weight': np.ones((4, 4), 'f4')})
        self.refuse_import("'blk.0.attn_k.weight'", '16 x 32',
                           arrays={**arrays, 'blk.0.attn_k.weight': arrays['blk.0.attn_k.weight'].T.copy()})

    def test_scaled_positions(self):
        values = {**gguf.metadata(), 'llama.rope.scaling.type': (gguf.TEXT, 'linear'), 'llama.rope.scaling.factor': (gguf.F32, 4.0)}
        with h5py.File(self.import_from(self.make(values=values))) as f:
            np.testing.assert_array_equal(f['decoder.rotary_factors.weight'], np.full(gguf.WIDTH // gguf.HEADS // 2, 4, 'f4'))
        self.refuse_import('scaled', values={**values, 'llama.rope.scaling.factor': (gguf.F32, 0.5)})
        for key in 'llama.rope.scaling.factor', 'llama.rope.scale_linear':  # which llama.cpp takes for linear
            with h5py.File(self.import_from(self.make(values={**gguf.metadata(), key: (gguf.F32, 4.0)}))) as f:
                self.assertEqual(set(f['decoder.rotary_factors.weight'][:]), {4.0})
            with h5py.File(self.import_from(self.make(values={**gguf.metadata(), key: (gguf.F32, 0.0)}))) as f:
                self.assertNotIn('decoder.rotary_factors.weight', f)
        factors = np.ones(gguf.WIDTH // gguf.HEADS // 2, 'f4')
        self.refuse_import('twice', values=values, arrays={**gguf.tensors(), 'rope_freqs.weight': factors})

    def test_wrong_values(self):
        values = gguf.metadata()
        for key in values:
            if key not in ('general.license', 'llama.rope.freq_base', 'llama.attention.head_count_kv'):
                rest = {k: v for k, v in values.items() if k != key}
                word = {'general.architecture': 'architecture', 'tokenizer.ggml.model': 'tokenizer', 'tokenizer.ggml.pre': 'cuts'}
                self.refuse_import(word.get(key, key), values=rest)
        for key, value, word in (('general.architecture', (gguf.TEXT, 'mamba'), 'mamba'),
                                 ('tokenizer.ggml.model', (gguf.TEXT, 'llama'), "'llama'"),
                                 ('tokenizer.ggml.pre', (gguf.TEXT, 'other'), 'other'),
                                 ('llama.rope.scaling.type', (gguf.TEXT, 'yarn'), 'yarn'),
                                 ('llama.attention.head_count_kv', (gguf.U32, 3), 'multiple'),
                                 ('tokenizer.ggml.merges', (gguf.ARRAY, gguf.TEXT, ['t h', 'x yz']), 'merge 1'),
                                 ('tokenizer.ggml.merges', (gguf.ARRAY, gguf.TEXT, ['q q']), 'merge 0')):
            self.refuse_import(word, values={**values, key: value})

    def test_not_gguf(self):
        path = self.make()
        with open(path, 'rb') as f:
            content = f.read()
        for i, (text, word) in enumerate(((b'', 'byte 0'), (b'GGML' + content[4:], 'no GGUF'), (content[:len(content) // 2], 'cut'))):
            bad = self.path(f'{i}.gguf')
            with open(bad, 'wb') as f:
                f.write(text)
            self.refuse_command(INPUT_ERROR, (bad, word), 'import', bad, '-o', self.path('o.h5'))
        self.refuse_command(INPUT_ERROR, (self.folder, 'model.safetensors'), 'import', self.folder, '-o', self.path('o.h5'))
        self.refuse_command(INPUT_ERROR, ('No such file',), 'import', self.path('none'), '-o', self.path('o.h5'))
        self.refuse_command(OUTPUT_ERROR, ('is the input',), 'import', path, '-o', path)
        folder = bert.write(self.path('bert'))
        for name in 'model.safetensors', 'config.json', os.path.join('1_Pooling', 'config.json'):
            self.refuse_command(OUTPUT_ERROR, ('is the input',), 'import', folder, '-o', os.path.join(folder, name))
        for _ in range(2):  # what is not read may be replaced
            self.assertEqual(run('import', folder, '-q', '-o', os.path.join(folder, 'model.h5')).status, 0)
        self.refuse_command(ARGUMENT_ERROR, ('no output',), 'import', path)
        self.refuse_command(ARGUMENT_ERROR, ('--weights',), 'import', path, '-o', self.path('o.h5'), '--weights=int4')

    def test_folder(self):
        arrays, model = bert.tensors(), self.import_from(bert.write(self.path('bert')))
        with h5py.File(model) as f:
            description = json.loads(f.attrs['model'])['description']
            self.assertEqual((description['pooling'], description['normalised']), ('mean', True))
            self.assertEqual(description['encoder']['norm_place'], 'after')
            np.testing.assert_array_equal(f['encoder.1.output.bias'], arrays['encoder.layer.1.attention.output.dense.bias'])
            np.testing.assert_array_equal(f['encoder.0.down.weight'], arrays['encoder.layer.0.output.dense.weight'])
        ids = {word: i for i, word in enumerate(bert.WORDS)}
        self.assertEqual(self.tokens_of(model, 'The unables \u00c9. [SEP]'.encode())[:7],
                         [ids[word] for word in ('[CLS]', 'the', 'un', '##able', '##s', 'e', '.')])
        self.assertEqual(self.tokens_of(model, b''), [ids['[CLS]'], ids['[SEP]']])

    def test_list_of_tokens(self):
        """vocab.txt in the place of tokenizer.json; tokenizer_config.json says what else is to be done."""
        for lower, words in (True, ('the', 'un', '##able', '##s', 'e', '.')), (False, ('[UNK]', 'un', '##able', '##s', '[UNK]', '.')):
            folder = bert.write(self.path(f'bert{lower}'), tokenizer_json=None, vocab=bert.WORDS,
                                tokenizer_config_json={'do_lower_case': lower})
            ids = self.tokens_of(self.import_from(folder), 'The unables \u00c9.'.encode())
            self.assertEqual([bert.WORDS[i] for i in ids], ['[CLS]', *words, '[SEP]'])

    def test_wrong_folders(self):
        def changed(original, *path, value):
            inner = original
            for key in path[:-1]:
                inner = inner[key]
            inner[path[-1]] = value
            return original

        arrays = bert.tensors()
        cases = [(('config.json', repr(key)), {'config_json': {k: v for k, v in bert.config().items() if k != key}})
                 for key in bert.config() if key not in ('model_type', 'position_embedding_type')]
        cases += [(('gpt2',), {'config_json': {**bert.config(), 'model_type': 'gpt2'}}),
                  (('position_embedding_type',), {'config_json': {**bert.config(), 'position_embedding_type': 'relative_key'}}),
                  (('no tokenizer.json', 'vocab.txt'), {'tokenizer_json': None}),
                  (('[UNK]',), {'tokenizer_json': None, 'vocab': [word for word in bert.WORDS if word != '[UNK]']}),
                  (("'unknown'",), {'config_json': None}),
                  (('WordPiece',), {'tokenizer_json': changed(bert.tokenizer(), 'model', 'type', value='Unigram')}),
                  (('ids',), {'tokenizer_json': changed(bert.tokenizer(), 'model', 'vocab', 'the', value=99)}),
                  (('normalizer',), {'tokenizer_json': changed(bert.tokenizer(), 'normalizer', value=None)}),
                  (('post_processor',), {'tokenizer_json': changed(bert.tokenizer(), 'post_processor', value=None)}),
                  (("'embeddings.word_embeddings.weight'",), {'config_json': {**bert.config(), 'vocab_size': 11}}),
                  (("'more'", 'no place'), {'tensors': {**arrays, 'more': np.ones(3, 'f4')}}),
                  (('tokens', 'encoder'), {'tokenizer_json': None, 'vocab': [*bert.WORDS, 'more']}),
                  (('Dense', '2_Dense'), {'modules_json': [
                      {'type': 'sentence_transformers.models.Pooling', 'path': '1_Pooling'},
                      {'type': 'sentence_transformers.models.Dense', 'path': '2_Dense'}]}),
                  (('Pooling', '3_Pooling'), {'modules_json': [{'type': 'a.Pooling', 'path': '3_Pooling'}]}),
                  (('pooling_mode',), {'1_Pooling/config_json': {'pooling_mode_mean_tokens': True, 'pooling_mode_max_tokens': True}})]
        for i, (expected, change) in enumerate(cases):
            folder = bert.write(self.path(f'bert{i}'), **change)
            self.refuse_command(INPUT_ERROR, (folder, *expected), 'import', folder, '-o', self.path('o.h5'))

    def test_wrong_texts(self):
        model = self.import_from(self.make())
        for path, word in ((self.folder, 'directory'), (self.path('none'), 'No such file')):
            self.refuse_command(INPUT_ERROR, (path, word), 'tokenize', '--model', model, path)
        self.refuse_command(ARGUMENT_ERROR, ('no model',), 'tokenize', model)
        self.refuse_command(ARGUMENT_ERROR, ('no text',), 'tokenize', '--model', model)

    def damage(self, change, *expected):
        model, text = self.import_from(self.make()), self.path('text')
        with open(text, 'w') as f:
            f.write('the')
        change(model)
        self.refuse_command(INPUT_ERROR, (model, *expected), 'tokenize', '--model', model, text)

    def test_damaged_model(self):
        def cut(path):
            os.truncate(path, os.path.getsize(path) // 2)

        def edit(change):
            def apply(path):
                with h5py.File(path, 'r+') as f:
                    change(f)
            return apply

        def set_model(change):
            def apply(f):
                model = json.loads(f.attrs['model'])
                change(model)
                f.attrs['model'] = json.dumps(model)
            return edit(apply)

        self.damage(cut)
        self.damage(edit(lambda f: f.attrs.modify('format', 'seqring model 2')), 'model 2', 'again')
        self.damage(edit(lambda f: f.attrs.pop('format')), 'no model file')
        self.damage(edit(lambda f: f.attrs.pop('complete')), 'not complete')
        self.damage(edit(lambda f: f.pop('decoder.0.up.weight')), "'decoder.0.up.weight'", 'missing')
        self.damage(edit(lambda f: f.create_dataset('more', data=np.ones(3, 'f4'))), 'datasets')

        def fewer(f):
            model = json.loads(f.attrs['model'])
            model['description']['decoder']['vocabulary'] = 4
            f.attrs['model'] = json.dumps(model)
            rows = f['decoder.embedding.weight'][:4]
            del f['decoder.embedding.weight']
            f['decoder.embedding.weight'] = rows
        self.damage(edit(fewer), 'tokens', 'decoder')
        self.damage(edit(lambda f: f.create_dataset('more', data=np.ones(3, 'f4'), chunks=True)), "'more'")
        self.damage(edit(lambda f: f['tokenizer.starts'].write_direct(np.full(len(f['tokenizer.starts']), 7))), 'tokenizer.starts')
        self.damage(edit(lambda f: f['tokenizer.starts'].__setitem__(3, -1)), 'token 2')
        self.damage(edit(lambda f: f['tokenizer.starts'].__setitem__(3, 1 << 40)), 'token 3')
        self.damage(edit(lambda f: f['tokenizer.merges'].write_direct(np.full(f['tokenizer.merges'].shape, 1 << 20, 'i4'))), 'merge')
        self.damage(set_model(lambda m: m.pop('tokenizer')), "'tokenizer'")
        self.damage(set_model(lambda m: m['tokenizer'].update(patterns=['(a'])), "'(a'")
        self.damage(set_model(lambda m: m['tokenizer'].update(first=1 << 20)), 'token')
        self.damage(set_model(lambda m: m['description']['decoder'].update(heads=-1)), 'decoder.heads')
        self.damage(set_model(lambda m: m['description']['decoder'].update(layers=3)), "'decoder.2.attention_norm.weight'")
        self.damage(set_model(lambda m: m['description']['decoder'].update(head_width=16)), "'decoder.0.query.weight'")


if __name__ == '__main__':
    main()
