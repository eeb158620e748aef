#!/usr/bin/env python3
"""import of Hugging Face's folders of decoders: small models like Llama against NumPy, their tokenizers, and what is refused."""
import json
import math
import os

import numpy as np

import gguf
import llama
import own
from bert import write_safetensors
from program import Case, main, run

ARGUMENT_ERROR, INPUT_ERROR = 2, 3
VOCABULARY = 272  # more than there are tokens
TEXT = "the an7 the 12, 345's\n\n  an end  the\tthe été \u4e2d " * 12


def stack(**changed):
    return own.stack(VOCABULARY, **{'positions': 'rotary', 'rotary_pairs': 'halves', 'rotary_width': own.HEAD, 'norm': 'rms',
                                    'norm_place': 'before', 'final_norm': True, 'activation': 'silu', 'gated': True,
                                    'qkv_bias': False, 'output_bias': False, 'inner_bias': False, 'head_bias': False, **changed})


def divisors(rule, base):
    """By which frequencies are divided, as transformers does it."""
    out = []
    for i in range(own.HEAD // 2):
        wavelength = 2 * math.pi * base ** (i / (own.HEAD // 2))
        low, high = (rule['original_max_position_embeddings'] / rule[f'{x}_freq_factor'] for x in ('low', 'high'))
        smooth = (rule['original_max_position_embeddings'] / wavelength - rule['low_freq_factor']) / \
            (rule['high_freq_factor'] - rule['low_freq_factor'])
        between = 1 / ((1 - smooth) / rule['factor'] + smooth)
        out.append(1 if wavelength < high else rule['factor'] if wavelength > low else between)
    return out


class Folders(Case):
    def write(self, s=None, configured=None, tokenized=None, arrays=None, unknown=None):
        s = s or stack()
        arrays = arrays or own.weights('decoder', s, np.random.default_rng(3))
        os.makedirs(self.path('folder'), exist_ok=True)
        for name, content in (('config.json', configured or llama.config(s)), ('tokenizer.json', tokenized or llama.tokenizer()),
                              ('tokenizer_config.json', {'unk_token': unknown})):
            with open(self.path('folder', name), 'w') as f:
                json.dump(content, f)
        write_safetensors(self.path('folder', 'model.safetensors'),
                          {llama.foreign(name): x for name, x in arrays.items() if 'rotary_factors' not in name})
        return arrays

    def imported(self, source=None):
        done = run('import', source or self.path('folder'), '-q', '-o', self.path('model.h5'))
        self.assertEqual((done.status, done.said), (0, []))

    def tokenized(self, text=TEXT):
        with open(self.path('text'), 'w') as f:
            f.write(text)
        done = run('tokenize', '--model', self.path('model.h5'), self.path('text'))
        self.assertEqual((done.status, done.said), (0, []))
        return [int(word) for word in done.out.split()]

    def test_decoders(self):
        for changed, configured, factors in (
                ({'head': 'tied'}, {}, None),
                ({}, {'rope_theta': 500.0}, None),
                ({'qkv_bias': True}, {'model_type': 'qwen2', 'sliding_window': 32, 'use_sliding_window': False}, None),
                ({'query_key_norm': True}, {'model_type': 'qwen3'}, None),
                ({'qkv_bias': True, 'output_bias': True, 'inner_bias': True}, {'attention_bias': True, 'mlp_bias': True}, None),
                ({'rotary_width': 2}, {'model_type': 'mistral', 'sliding_window': None, 'partial_rotary_factor': 0.4}, None),
                ({'rotary_factors': True}, {'rope_scaling': {'type': 'linear', 'factor': 4.0}}, [4.0] * 3),
                ({'rotary_factors': True}, {'rope_theta': 60.0, 'rope_scaling': llama.LLAMA3}, divisors(llama.LLAMA3, 60.0)),
                ({'rotary_factors': True}, {'rope_theta': None, 'rope_parameters': {'rope_theta': 60.0, **llama.LLAMA3}}, divisors(llama.LLAMA3, 60.0))):
            with self.subTest(configured=configured):
                base = configured.get('rope_theta') or (60.0 if 'rope_parameters' in configured else 10000.0)
                s = stack(rotary_base=base, **changed)
                arrays = self.write(s, llama.config(s, **configured))
                if factors:
                    arrays['decoder.rotary_factors.weight'] = np.array(factors)
                self.imported()
                self.tokenized()
                out = own.Own.run_model(self, ranks=2)
                own.Own.check(self, out, own.Model('decoder', s, arrays))

    def test_factors(self):
        """Some frequencies are slow, some fast, and one is between, so that all is tried."""
        found = divisors(llama.LLAMA3, 60.0)
        self.assertEqual((found[0], found[-1]), (1, 8.0))
        self.assertTrue(1 < found[1] < 8)

    def test_tokens(self):
        """Ids are those of the same vocabulary in a GGUF file; what stands in front of a text does so here."""
        self.imported(gguf.write(self.path('model.gguf')))
        want = self.tokenized()
        self.write()
        self.imported()
        self.assertEqual(self.tokenized(), want)
        pairs = [merge.split(' ') for merge in gguf.merges()]
        ends = [{'SpecialToken': {'id': '<|end|>', 'type_id': 0}}, {'Sequence': {'id': 'A', 'type_id': 0}}]
        model = {**llama.tokenizer()['model'], 'merges': pairs}
        self.write(tokenized=llama.tokenizer(model=model, post_processor={'type': 'Sequence', 'processors': [
            {'type': 'ByteLevel'}, {'type': 'TemplateProcessing', 'single': ends}]}))
        self.imported()
        self.assertEqual(self.tokenized(), [0, *want])

    def test_cuts(self):
        """Byte-level alone cuts numbers as wholes; a pattern does as it says; a piece may be a token, whatever the merges."""
        self.write(tokenized=llama.tokenizer(pre_tokenizer={'type': 'ByteLevel', 'add_prefix_space': False}))
        self.imported()
        byte = {text: i for i, (text, _) in enumerate(gguf.tokens())}
        self.assertEqual(self.tokenized('an12'), [byte['an'], byte['1'], byte['2']])
        steps = [{'type': 'Split', 'pattern': {'Regex': 'a'}, 'behavior': 'Isolated', 'invert': False},
                 {'type': 'ByteLevel', 'add_prefix_space': False, 'use_regex': False}]
        self.write(tokenized=llama.tokenizer(pre_tokenizer={'type': 'Sequence', 'pretokenizers': steps}))
        self.imported()
        self.assertEqual(self.tokenized('an the'), [byte['a'], byte['n'], byte[gguf.written(' the')]])
        for whole in False, True:
            model = {**llama.tokenizer()['model'], 'merges': gguf.merges()[:1], 'ignore_merges': whole}
            self.write(tokenized=llama.tokenizer(model=model))
            self.imported()
            self.assertEqual(self.tokenized('the'), [byte['the']] if whole else [byte['th'], byte['e']])

    def generated(self, **ends):
        self.write(configured=llama.config(stack(), **ends))
        self.imported()
        with open(self.path('text'), 'w') as f:
            f.write('the an7')
        done = run('generate', '-q', '--model', self.path('model.h5'), '--text', self.path('text'), '--ids', '-n', 8)
        self.assertEqual((done.status, done.said), (0, []))
        return [int(word) for word in done.out.split()]

    def test_several_ends(self):
        """Any of those that either file names ends what is made."""
        made = self.generated(eos_token_id=None)
        other, *ends = [next(i for i in range(100) if i not in made), *dict.fromkeys(made)][:4]
        self.assertEqual(len(ends), 3, 'too uniform a text to tell')
        self.assertEqual(self.generated(eos_token_id=[other, ends[2]]), made[:made.index(ends[2])])
        with open(self.path('folder', 'generation_config.json'), 'w') as f:
            json.dump({'eos_token_id': [ends[2], ends[1]]}, f)
        self.assertEqual(self.generated(eos_token_id=other), made[:made.index(ends[1])])
        self.refuse("'tokenizer.end' is out of range", changed={'eos_token_id': [3, 'x']})
        self.refuse('more than 16', changed={'eos_token_id': list(range(20))})

    def test_missing_bytes(self):
        """Bytes without a token are unknown, as one of two files says; where none does that is an error."""
        pairs = {text: i for text, i in llama.tokenizer()['model']['vocab'].items() if text != '~'}
        short = {**llama.tokenizer()['model'], 'vocab': {text: i + 1 for i, text in enumerate(pairs)}}
        for model, unknown in ({**short, 'unk_token': '<|end|>'}, None), (short, '<|end|>'), (short, {'content': '<|end|>'}):
            self.write(tokenized=llama.tokenizer(model=model), unknown=unknown)
            self.imported()
            self.assertEqual(self.tokenized('~'), [0])
        self.refuse('byte 126', tokenized=llama.tokenizer(model=short))

    def test_what_is_not_needed(self):
        """Tensors that follow from the configuration, and the largest text of a tokenizer that has none."""
        self.write()
        with open(self.path('folder', 'tokenizer_config.json'), 'w') as f:
            json.dump({'model_max_length': 1000000000000000019884624838656}, f)
        self.imported()
        with open(self.path('model.h5'), 'rb') as f:
            plain = f.read()
        path = self.path('folder', 'model.safetensors')
        with open(path, 'rb') as f:
            size = int.from_bytes(f.read(8), 'little')
            head, data = json.loads(f.read(size)), f.read()
        head['model.layers.1.self_attn.rotary_emb.inv_freq'] = {'dtype': 'F32', 'shape': [2],
                                                                'data_offsets': [len(data), len(data) + 8]}
        head = json.dumps(head).encode()
        with open(path, 'wb') as f:
            f.write(len(head).to_bytes(8, 'little') + head + data + bytes(8))
        self.imported()
        with open(self.path('model.h5'), 'rb') as f:
            self.assertEqual(f.read(), plain)

    def test_several_files(self):
        self.write()
        os.rename(self.path('folder', 'model.safetensors'), self.path('folder', 'model-00001-of-00002.safetensors'))
        with open(self.path('folder', 'model.safetensors.index.json'), 'w') as f:
            f.write('{}')
        self.refuse_command(INPUT_ERROR, ('in several files',), 'import', self.path('folder'), '-o', self.path('model.h5'))

    def refuse(self, *expected, changed=None, **how):
        if changed:
            how['configured'] = llama.config(stack(), **changed)
        self.write(**how)
        self.refuse_command(INPUT_ERROR, expected, 'import', self.path('folder'), '-o', self.path('model.h5'))

    def test_refused(self):
        self.refuse("'gpt_neox'", 'qwen3', changed={'model_type': 'gpt_neox'})
        self.refuse("'yarn'", changed={'rope_scaling': {'rope_type': 'yarn', 'factor': 4.0}})
        self.refuse('scaled', changed={'rope_scaling': {'rope_type': 'linear', 'factor': 0.0}})
        self.refuse('scaled', changed={'rope_scaling': {**llama.LLAMA3, 'low_freq_factor': 5.0}})
        self.refuse('does not say how', changed={'rope_scaling': {'factor': 2.0}})
        self.refuse('first context', changed={'rope_scaling': {'rope_type': 'llama3', 'factor': 8.0}})
        self.refuse("'decoder.rotary_width' is out of range", changed={'head_dim': 8 * 10 ** 9, 'rope_scaling': {'type': 'linear', 'factor': 2.0}})
        self.refuse("'decoder.layers' is out of range", changed={'num_hidden_layers': 10 ** 10})
        self.refuse("'num_hidden_layers'", changed={'num_hidden_layers': 10 ** 15})
        self.refuse("'tokenizer.end' is out of range", changed={'eos_token_id': -7})
        self.refuse("'rope_theta'", changed={'rope_theta': -1.0})
        self.refuse("'vocab_size'", changed={'vocab_size': 0})
        self.refuse('far fewer', changed={'vocab_size': 10 ** 9})
        self.refuse('more tokens', changed={'vocab_size': 100})
        self.refuse('see 64 tokens', changed={'model_type': 'mistral', 'sliding_window': 64})
        self.refuse("'hidden_act'", changed={'hidden_act': 'swish'})
        arrays = own.weights('decoder', stack(), np.random.default_rng(3))
        del arrays['decoder.1.key.weight']
        self.refuse("'model.layers.1.self_attn.k_proj.weight' is missing", arrays=arrays)
        self.refuse("'lm_head.weight'", changed={'tie_word_embeddings': False},
                    arrays=own.weights('decoder', stack(head='tied'), np.random.default_rng(3)))

    def test_tokenizers_refused(self):
        def model(**changed):
            return llama.tokenizer(model={**llama.tokenizer()['model'], **changed})
        for expected, tokenized in (
                ('normalizer', llama.tokenizer(normalizer={'type': 'NFC'})),
                ('pre_tokenizer', llama.tokenizer(pre_tokenizer={'type': 'Whitespace'})),
                ('pre_tokenizer', llama.tokenizer(pre_tokenizer={'type': 'Sequence', 'pretokenizers': []})),
                ('blank', llama.tokenizer(pre_tokenizer={'type': 'ByteLevel', 'add_prefix_space': True})),
                ('splits', llama.tokenizer(pre_tokenizer={'type': 'Sequence', 'pretokenizers': [
                    {'type': 'Split', 'pattern': {'Regex': 'a'}, 'behavior': 'Removed'}, {'type': 'ByteLevel'}]})),
                ('post_processor', llama.tokenizer(post_processor={'type': 'BertProcessing'})),
                ('post_processor', llama.tokenizer(post_processor={'type': 'TemplateProcessing', 'single': [
                    {'SpecialToken': {'id': '<|end|>'}}, {'SpecialToken': {'id': '<|end|>'}}, {'Sequence': {'id': 'A'}}]})),
                ('no token', llama.tokenizer(post_processor={'type': 'TemplateProcessing', 'single': [
                    {'SpecialToken': {'id': '<s>'}}, {'Sequence': {'id': 'A'}}]})),
                ('not special', llama.tokenizer(added_tokens=[{'id': 0, 'content': '<tool>', 'special': False}])),
                ('BPE', model(type='Unigram')), ('characters', model(byte_fallback=True)), ('suffix', model(end_of_word_suffix='</w>')),
                ('merge 0', model(merges=['a zz'])), ('merge 1', model(merges=[['t', 'h'], ['t']])),
                ('ids', model(vocab={**llama.tokenizer()['model']['vocab'], 'extra': 3}))):
            with self.subTest(expected=expected):
                self.refuse(expected, tokenized=tokenized)


if __name__ == '__main__':
    main()
