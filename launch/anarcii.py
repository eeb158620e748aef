#!/usr/bin/env python3
"""Turns a model of the package anarcii, which numbers the residues of antibodies, into a folder that seqring imports.

Usage: launch/anarcii.py WHEEL FOLDER
  WHEEL    anarcii-2.0.8-py3-none-any.whl, or a folder where it is unpacked
  FOLDER   gets config.json and model.safetensors of the model "antibody", 2 + 2 layers

The weights lie in a zip file of PyTorch's: a pickle that names tensors, and a file of elements for each. It is read here
without PyTorch, and nothing that the pickle names is called but what makes tensors.
"""
import collections
import io
import json
import os
import pickle
import struct
import sys
import zipfile

MODEL = "anarcii/models/antibody/antibody_4_2_128_512"
RESIDUES = [c.upper() for c in "acdefghiklmnpqrstvwxy"]
SPECIAL = ["<PAD>", "<SOS>", "<EOS>", "<SKIP>"]
SOS, EOS = SPECIAL.index("<SOS>"), SPECIAL.index("<EOS>")
NUMBERS = [str(n) for n in range(1, 129)] + ["X", "H", "L", "K"]
POSITIONS = 210
FLOAT_BYTES = 4

Tensor = collections.namedtuple("Tensor", "shape data")


def rebuild_tensor(storage, offset, shape, stride, *_):
    """A contiguous float32 tensor of a storage's bytes."""
    expected, count = [], 1
    for n in reversed(shape):
        expected.insert(0, count)
        count *= n
    if list(stride) != expected:
        raise pickle.UnpicklingError("a tensor is not contiguous")
    return Tensor(tuple(shape), storage[offset * FLOAT_BYTES:(offset + count) * FLOAT_BYTES])


class Unpickler(pickle.Unpickler):
    """Knows tensors, and nothing else."""
    KNOWN = {("collections", "OrderedDict"): collections.OrderedDict,
             ("torch._utils", "_rebuild_tensor_v2"): rebuild_tensor,
             ("torch", "FloatStorage"): "float32"}

    def __init__(self, archive, name):
        self.archive = archive
        self.folder = name.rpartition("/")[0]
        super().__init__(io.BytesIO(archive.read(name)))

    def find_class(self, module, name):
        if (module, name) not in self.KNOWN:
            raise pickle.UnpicklingError(f"it wants {module}.{name}")
        return self.KNOWN[module, name]

    def persistent_load(self, pid):
        kind, dtype, key = pid[:3]
        if (kind, dtype) != ("storage", "float32"):
            raise pickle.UnpicklingError(f"it wants {pid!r}")
        return self.archive.read(f"{self.folder}/data/{key}")


def read_weights(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        name = next(name for name in archive.namelist() if name.endswith("/data.pkl"))
        return Unpickler(archive, name).load()


def rows(tensor, first, count):
    """Some rows of a tensor."""
    row = len(tensor.data) // tensor.shape[0]
    return Tensor((count, *tensor.shape[1:]), tensor.data[first * row:(first + count) * row])


def attention(weights, source, target):
    """Query, key and value stand one below the other."""
    found = {}
    for kind in "weight", "bias":
        joined = weights[f"{source}.multihead_attn.in_proj_{kind}"]
        width = joined.shape[0] // 3
        for i, part in enumerate(("query", "key", "value")):
            found[target.format(part) + "." + kind] = rows(joined, i * width, width)
        found[target.format("output") + "." + kind] = weights[f"{source}.multihead_attn.out_proj.{kind}"]
    return found


def renamed(weights, layers):
    """The weights by seqring's names."""
    found = {}
    for stack in "encoder", "decoder":
        plain = {f"{stack}.embedding.weight": f"{stack}.tok_embedding.weight",
                 f"{stack}.positions.weight": f"{stack}.pos_embedding.weight"}
        for n in range(layers):
            ours, theirs = f"{stack}.{n}.", f"{stack}.layers.{n}."
            found.update(attention(weights, theirs + "self_attention", ours + "{}"))
            parts = {"attention_norm": "self_attn_layer_norm", "inner_norm": "ff_layer_norm",
                     "up": "positionwise_feedforward.fc_1", "down": "positionwise_feedforward.fc_2"}
            if stack == "decoder":
                found.update(attention(weights, theirs + "encoder_attention", ours + "cross_{}"))
                parts["cross_norm"] = "enc_attn_layer_norm"
            plain.update({f"{ours}{a}.{kind}": f"{theirs}{b}.{kind}" for a, b in parts.items() for kind in ("weight", "bias")})
        found.update({a: weights[b] for a, b in plain.items()})
    found.update({f"decoder.head.{kind}": weights[f"decoder.fc_out.{kind}"] for kind in ("weight", "bias")})
    return found


def write_safetensors(path, tensors):
    head, at = {}, 0
    for name, tensor in tensors.items():
        head[name] = {"dtype": "F32", "shape": tensor.shape, "data_offsets": [at, at + len(tensor.data)]}
        at += len(tensor.data)
    text = json.dumps(head).encode()
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(tensor.data for tensor in tensors.values()))


def stack(params, vocabulary, is_decoder):
    width = params["HID_DIM"]
    return {"vocabulary": vocabulary, "width": width, "layers": params["LAYERS"], "context": POSITIONS,
            "embedding_scale": width ** 0.5, "segments": 0, "embedding_norm": False, "positions": "learned",
            "rotary_pairs": "interleaved", "rotary_width": 0, "rotary_base": 1.0, "rotary_factors": False,
            "heads": params["HEADS"], "kv_heads": params["HEADS"], "head_width": width // params["HEADS"], "qkv_bias": True,
            "output_bias": True, "query_key_norm": False, "causal": is_decoder, "cross_attention": is_decoder,
            "norm": "layer", "norm_place": "after", "epsilon": 1e-5, "final_norm": False, "inner_width": 4 * width,
            "activation": "relu", "gated": False, "inner_bias": True, "head": "own" if is_decoder else "none",
            "head_bias": is_decoder}


def tokenizer(kind, tokens, **known):
    return {"kind": kind, "tokens": tokens, "control": list(range(len(SPECIAL))), "patterns": [], "whole_pieces": False,
            "clean": False, "split_han": False, "lowercase": False, "strip_accents": False, "longest_word": 0,
            "unknown": -1, "first": SOS, "last": -1, "end": -1, **known}


def config(params):
    residues, numbers = SPECIAL + RESIDUES, SPECIAL + NUMBERS
    return {"model_type": "seqring", "license": "BSD-3-Clause (anarcii 2.0.8)",
            "description": {"pooling": "none", "normalised": False, "encoder": stack(params, len(residues), False),
                            "decoder": stack(params, len(numbers), True)},
            "source_tokenizer": tokenizer("characters", residues, unknown=residues.index("X"), last=EOS),
            "tokenizer": tokenizer("words", numbers, end=EOS)}


def read_member(source, name):
    if os.path.isdir(source):
        with open(os.path.join(source, name), "rb") as f:
            return f.read()
    with zipfile.ZipFile(source) as wheel:
        return wheel.read(name)


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: launch/anarcii.py WHEEL FOLDER")
    source, folder = sys.argv[1:]
    params = json.loads(read_member(source, MODEL + ".json"))
    weights = read_weights(read_member(source, MODEL + ".pt"))
    os.makedirs(folder, exist_ok=True)
    write_safetensors(os.path.join(folder, "model.safetensors"), renamed(weights, params["LAYERS"]))
    with open(os.path.join(folder, "config.json"), "w") as f:
        json.dump(config(params), f, indent=1)


if __name__ == "__main__":
    main()
