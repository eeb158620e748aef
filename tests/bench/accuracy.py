#!/usr/bin/env python3
"""How the error of seqring attend grows with the number of keys.

Usage: accuracy.py PROGRAM [KEYS ...]        KEYS default to 4096 65536 524288; needs numpy and h5py

One head of width 64, 64 queries, q and k unit-normal, v of mean 1, float32; float64 answers by NumPy. Prints the largest
absolute error of o over three seeds, for each number of keys.
"""
import os
import subprocess
import sys
import tempfile

import h5py
import numpy as np

QUERIES, WIDTH, SEEDS = 64, 64, (1, 2, 3)


def answer(q, k, v):
    """softmax(q k^T / sqrt(width)) v in float64, of [tokens, width] arrays."""
    scores = q.astype(np.float64) @ k.astype(np.float64).T / np.sqrt(WIDTH)
    weights = np.exp(scores - scores.max(1, keepdims=True))
    return weights @ v.astype(np.float64) / weights.sum(1, keepdims=True)


def error(program, keys, seed, folder):
    random = np.random.default_rng([seed, keys])
    q, k, v = (random.standard_normal((n, 1, WIDTH)).astype(np.float32) for n in (QUERIES, keys, keys))
    v += 1
    with h5py.File(f"{folder}/in.h5", "w") as file:
        file["q"], file["k"], file["v"] = q, k, v
    subprocess.run([program, "attend", f"{folder}/in.h5", "-o", f"{folder}/out.h5", "-q"], check=True)
    with h5py.File(f"{folder}/out.h5") as file:
        return np.abs(file["o"][:, 0] - answer(q[:, 0], k[:, 0], v[:, 0])).max()


def main():
    program, lengths = os.path.abspath(sys.argv[1]), [int(n) for n in sys.argv[2:]] or [4096, 65536, 524288]
    with tempfile.TemporaryDirectory() as folder:
        for keys in lengths:
            print(f"{keys:9,} keys  {max(error(program, keys, seed, folder) for seed in SEEDS):.1e}")


if __name__ == "__main__":
    main()
