"""Small folders of models like BERT, as Hugging Face's libraries write them, with random weights."""
import json
import os
import struct

import numpy as np

WIDTH, INNER, HEADS, LAYERS, CONTEXT = 24, 48, 3, 2, 64
WORDS = '[PAD]', '[UNK]', '[CLS]', '[SEP]', 'the', 'un', '##able', '##s', 'e', '.'
SPECIAL = WORDS[:4]


def config(context=CONTEXT):
    return {'model_type': 'bert', 'vocab_size': len(WORDS), 'hidden_size': WIDTH, 'num_hidden_layers': LAYERS,
            'num_attention_heads': HEADS, 'intermediate_size': INNER, 'max_position_embeddings': context,
            'type_vocab_size': 2, 'hidden_act': 'gelu', 'layer_norm_eps': 1e-12, 'position_embedding_type': 'absolute'}


def tokenizer():
    end = {name: {'SpecialToken': {'id': name, 'type_id': 0}} for name in ('[CLS]', '[SEP]')}
    return {'added_tokens': [{'id': WORDS.index(word), 'content': word, 'special': True} for word in SPECIAL],
            'normalizer': {'type': 'BertNormalizer', 'clean_text': True, 'handle_chinese_chars': True,
                           'strip_accents': None, 'lowercase': True},
            'pre_tokenizer': {'type': 'BertPreTokenizer'},
            'post_processor': {'type': 'TemplateProcessing',
                               'single': [end['[CLS]'], {'Sequence': {'id': 'A', 'type_id': 0}}, end['[SEP]']]},
            'model': {'type': 'WordPiece', 'unk_token': '[UNK]', 'continuing_subword_prefix': '##',
                      'max_input_chars_per_word': 100, 'vocab': {word: i for i, word in enumerate(WORDS)}}}


def tensors(context=CONTEXT):
    rng = np.random.default_rng(4)
    norm = {'LayerNorm.weight': (WIDTH,), 'LayerNorm.bias': (WIDTH,)}
    shapes = {'embeddings.word_embeddings.weight': (len(WORDS), WIDTH), 'embeddings.position_embeddings.weight': (context, WIDTH),
              'embeddings.token_type_embeddings.weight': (2, WIDTH), **{f'embeddings.{n}': s for n, s in norm.items()},
              'pooler.dense.weight': (WIDTH, WIDTH), 'pooler.dense.bias': (WIDTH,)}
    for layer in range(LAYERS):
        for name, rows, columns in (('attention.self.query', WIDTH, WIDTH), ('attention.self.key', WIDTH, WIDTH),
                                    ('attention.self.value', WIDTH, WIDTH), ('attention.output.dense', WIDTH, WIDTH),
                                    ('intermediate.dense', INNER, WIDTH), ('output.dense', WIDTH, INNER)):
            shapes[f'encoder.layer.{layer}.{name}.weight'] = (rows, columns)
            shapes[f'encoder.layer.{layer}.{name}.bias'] = (rows,)
        for part in ('attention.output', 'output'):
            shapes.update({f'encoder.layer.{layer}.{part}.{n}': s for n, s in norm.items()})
    return {name: rng.standard_normal(shape).astype('f4') for name, shape in shapes.items()}


def write_safetensors(path, arrays):
    head, data = {'__metadata__': {'format': 'pt'}}, b''
    for name, array in arrays.items():
        head[name] = {'dtype': 'F32', 'shape': array.shape, 'data_offsets': [len(data), len(data) + array.nbytes]}
        data += array.tobytes()
    text = json.dumps(head).encode()
    with open(path, 'wb') as f:
        f.write(struct.pack('<Q', len(text)) + text + data)


def write(folder, **changed):
    """Writes a folder; changed: other content of files, by their names with '_' for '.'; None for no such file;
    or tensors, context, vocab (words of vocab.txt), and pooling: mean, cls or last."""
    vocab = changed.pop('vocab', None)
    context, pooling = changed.pop('context', CONTEXT), changed.pop('pooling', 'mean')
    files = {'config.json': config(context), 'tokenizer.json': tokenizer(),
             'modules.json': [{'type': 'sentence_transformers.models.Normalize'}],
             '1_Pooling/config.json': {f'pooling_mode_{kind}': kind.startswith(pooling)
                                       for kind in ('cls_token', 'mean_tokens', 'lasttoken')}}
    arrays = changed.pop('tensors', None) or tensors(context)
    files.update({name.replace('_json', '.json'): content for name, content in changed.items()})
    os.makedirs(os.path.join(folder, '1_Pooling'), exist_ok=True)
    for name, content in files.items():
        if content is None:
            continue
        with open(os.path.join(folder, name), 'w') as f:
            json.dump(content, f)
    if vocab:
        with open(os.path.join(folder, 'vocab.txt'), 'w') as f:
            f.write('\n'.join(vocab) + '\n')
    write_safetensors(os.path.join(folder, 'model.safetensors'), arrays)
    return folder
