#!/usr/bin/env python3
"""Small good inputs of each fuzz target.

Usage: make_seeds.py FOLDER
"""
import json
import os
import sys

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TESTS, 'cli'))
import bert  # noqa: E402
import gguf  # noqa: E402
import llama  # noqa: E402

STACK = {'vocabulary': 300, 'width': 32, 'layers': 2, 'context': 64, 'embedding_scale': 1.0, 'segments': 0,
         'embedding_norm': False, 'positions': 'rotary', 'rotary_pairs': 'halves', 'rotary_width': 8, 'rotary_base': 10000.0,
         'rotary_factors': False, 'heads': 4, 'kv_heads': 2, 'head_width': 8, 'qkv_bias': False, 'output_bias': False,
         'query_key_norm': False, 'causal': True, 'cross_attention': False, 'norm': 'rms', 'norm_place': 'before',
         'epsilon': 1e-5, 'final_norm': True, 'inner_width': 64, 'activation': 'silu', 'gated': True, 'inner_bias': False,
         'head': 'tied', 'head_bias': False}
TOKENIZER = {'kind': 'bpe', 'patterns': ['\\p{N}', ' ?\\p{L}+|\\s+(?!\\S)'], 'whole_pieces': False, 'clean': False,
             'split_han': False, 'lowercase': False, 'strip_accents': False, 'longest_word': 0, 'unknown': -1, 'first': -1,
             'last': -1, 'end': -1}
TEXTS = b'a', b"I'll see 12 of\n\n3 \xc3\xa9t\xc3\xa9s\xe2\x80\x83! \xff\xfe aab  ", b'\xe4\xb8\xad\x00\xf0\x9f\x98\x80aab\r\n'


def main():
    folder = sys.argv[1]

    def path(target, name):
        os.makedirs(os.path.join(folder, target), exist_ok=True)
        return os.path.join(folder, target, name)

    gguf.LAYERS = 1
    gguf.write(path('gguf', 'llama'), arrays={name: x[:1] for name, x in gguf.tensors().items()})
    bert.write_safetensors(path('safetensors', 'bert'), {name: x[:1] for name, x in list(bert.tensors().items())[:6]})
    words = {**TOKENIZER, 'kind': 'words', 'patterns': [], 'tokens': ['<EOS>', '1', '2'], 'control': [0], 'end': 0}
    letters = {**words, 'kind': 'characters', 'tokens': ['<EOS>', 'a', 'b'], 'unknown': 2}
    both = {'pooling': 'none', 'normalised': False, 'encoder': {**STACK, 'head': 'none'},
            'decoder': {**STACK, 'cross_attention': True}}
    seeds = {path('folder', 'own'): {'config.json': {'model_type': 'seqring', 'license': 'none', 'description': both,
                                                     'tokenizer': words, 'source_tokenizer': letters}},
             path('folder', 'bert'): {'config.json': bert.config(), 'tokenizer.json': bert.tokenizer(),
                                      'modules.json': [{'type': 'a.Normalize'}],
                                      '1_Pooling/config.json': {'pooling_mode_mean_tokens': True}},
             path('folder', 'llama'): {'config.json': llama.config(STACK, rope_scaling=llama.LLAMA3),
                                       'tokenizer.json': llama.tokenizer(), 'tokenizer_config.json': {'unk_token': '<|end|>'}},
             path('model', 'both'): {'description': both, 'tokenizer': words, 'source_tokenizer': letters},
             path('model', 'decoder'): {'description': {'pooling': 'none', 'normalised': False, 'decoder': STACK},
                                        'tokenizer': TOKENIZER}}
    for name, content in seeds.items():
        with open(name, 'w') as f:
            json.dump(content, f)
    for i, text in enumerate(TEXTS):
        with open(path('text', str(i)), 'wb') as f:
            f.write(text)


if __name__ == '__main__':
    main()
