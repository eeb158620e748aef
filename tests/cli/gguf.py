"""Small GGUF files of models like Llama, with random weights and a vocabulary of a few words."""
import struct

import numpy as np

U32, I32, F32, BOOL, TEXT, ARRAY = 4, 5, 6, 7, 8, 9
NORMAL, CONTROL = 1, 3
ALIGNMENT = 32
WIDTH, INNER, HEADS, KV_HEADS, LAYERS, CONTEXT = 32, 64, 4, 2, 2, 4096
WORDS = 'th', 'the', ' the', ' a', 'an', ' an'


def alphabet():
    """GPT-2's character for each byte."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return {**{byte: chr(byte) for byte in printable}, **{byte: chr(256 + i) for i, byte in enumerate(others)}}


def written(word):
    return ''.join(alphabet()[byte] for byte in word.encode())


def tokens():
    """(text, type) of each: control tokens, bytes, words."""
    return [('<|end|>', CONTROL), *((alphabet()[b], NORMAL) for b in range(256)), *((written(w), NORMAL) for w in WORDS)]


def merges():
    return [f'{written(a)} {written(b)}' for a, b in (('t', 'h'), ('th', 'e'), (' ', 'the'), (' ', 'a'), ('a', 'n'), (' a', 'n'))]


def metadata():
    """key -> (type, value), or (ARRAY, type, values)"""
    return {'general.architecture': (TEXT, 'llama'), 'general.license': (TEXT, 'CC0-1.0'),
            'llama.block_count': (U32, LAYERS), 'llama.context_length': (U32, CONTEXT),
            'llama.embedding_length': (U32, WIDTH), 'llama.feed_forward_length': (U32, INNER),
            'llama.attention.head_count': (U32, HEADS), 'llama.attention.head_count_kv': (U32, KV_HEADS),
            'llama.attention.layer_norm_rms_epsilon': (F32, 1e-5), 'llama.rope.freq_base': (F32, 10000.0),
            'tokenizer.ggml.model': (TEXT, 'gpt2'), 'tokenizer.ggml.pre': (TEXT, 'smollm'),
            'tokenizer.ggml.tokens': (ARRAY, TEXT, [text for text, _ in tokens()]),
            'tokenizer.ggml.token_type': (ARRAY, I32, [kind for _, kind in tokens()]),
            'tokenizer.ggml.merges': (ARRAY, TEXT, merges())}


def tensors():
    """name -> float32 array; a row of it is contiguous."""
    rng = np.random.default_rng(9)
    kv = WIDTH // HEADS * KV_HEADS
    shapes = {'token_embd.weight': (len(tokens()), WIDTH), 'output_norm.weight': (WIDTH,)}
    for layer in range(LAYERS):
        shapes.update({f'blk.{layer}.{name}.weight': shape for name, shape in {
            'attn_norm': (WIDTH,), 'attn_q': (WIDTH, WIDTH), 'attn_k': (kv, WIDTH), 'attn_v': (kv, WIDTH),
            'attn_output': (WIDTH, WIDTH), 'ffn_norm': (WIDTH,), 'ffn_gate': (INNER, WIDTH), 'ffn_up': (INNER, WIDTH),
            'ffn_down': (WIDTH, INNER)}.items()})
    return {name: rng.standard_normal(shape).astype('f4') for name, shape in shapes.items()}


def quiet_tensors():
    """The same, of weights that leave float32 some digits."""
    return {name: x * np.float32(0.3) if x.ndim > 1 else x for name, x in tensors().items()}


def value_bytes(kind, value):
    if kind == TEXT:
        return struct.pack('<Q', len(value.encode())) + value.encode()
    return struct.pack({U32: '<I', I32: '<i', F32: '<f', BOOL: '<?'}[kind], value)


def write(path, values=None, arrays=None, version=3):
    """Writes a file; values and arrays default to those of a good model."""
    values, arrays = metadata() if values is None else values, tensors() if arrays is None else arrays
    head = struct.pack('<4sIQQ', b'GGUF', version, len(arrays), len(values))
    for key, (kind, *rest) in values.items():
        head += value_bytes(TEXT, key) + struct.pack('<I', kind)
        if kind == ARRAY:
            head += struct.pack('<IQ', rest[0], len(rest[1])) + b''.join(value_bytes(rest[0], v) for v in rest[1])
        else:
            head += value_bytes(kind, rest[0])
    data = b''
    for name, array in arrays.items():
        dims = array.shape[::-1]
        head += value_bytes(TEXT, name) + struct.pack(f'<I{len(dims)}QIQ', len(dims), *dims, 0, len(data))
        data += array.tobytes()
        data += bytes(-len(data) % ALIGNMENT)
    with open(path, 'wb') as f:
        f.write(head + bytes(-len(head) % ALIGNMENT) + data)
    return path
