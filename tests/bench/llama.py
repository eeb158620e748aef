#!/usr/bin/env python3
"""Reading a long text by seqring and by llama.cpp, the same model on the same cores.

Usage: llama.py PROGRAM MODEL.gguf TEXT [--tokens LIST] [--threads N] [--repeat N] [--weights LIST]
Needs the Python of a virtual environment with
    pip install llama-cpp-python==0.3.36 h5py

llama.cpp: one process, flash attention, the log-probability of the last token only. seqring: `seqring run`, one rank, the hidden
states of all tokens; of the model imported with each of --weights. Both have their weights in memory when the clock starts.
Rounds alternate; a line has the medians, and the ratio of seqring's rate to llama.cpp's.
"""
import argparse
import importlib.util
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

for name in "llama_cpp", "h5py":
    if not importlib.util.find_spec(name):
        sys.exit(f"llama.py: {name} is missing: the head of this file tells how to make a virtual environment with it")
import h5py
import llama_cpp

SPEED = re.compile(r"^ *speed +([0-9.]+) (k?)tokens/s", re.MULTILINE)


class Llama:
    """llama.cpp with room for a number of tokens."""

    def __init__(self, model, tokens, threads):
        self.model = llama_cpp.Llama(model, n_ctx=tokens + 1, n_threads=threads, n_threads_batch=threads, flash_attn=True,
                                     logits_all=False, verbose=False)

    def rate(self, ids):
        self.model.reset()
        start = time.perf_counter()
        self.model.eval(ids)
        return len(ids) / (time.perf_counter() - start)


class Seqring:
    """The program and a folder for its files."""

    def __init__(self, args, folder):
        self.args, self.out = args, os.path.join(folder, "out.h5")
        self.models = {weights: os.path.join(folder, weights + ".h5") for weights in args.weights}
        for weights, model in self.models.items():
            self.call("import", args.model, "-q", "-o", model, "--weights", weights)

    def call(self, *words):
        done = subprocess.run([self.args.program, *map(str, words)], stdout=subprocess.PIPE, text=True, check=True)
        return done.stdout

    def read(self, weights, tokens, outputs):
        return self.call("run", "--model", self.models[weights], "--text", self.args.text, "--limit", tokens, "--threads",
                         self.args.threads, "--outputs", outputs, "-o", self.out)

    def ids(self, tokens):
        self.read(self.args.weights[0], tokens, "tokens")
        with h5py.File(self.out) as f:
            return f["tokens"][:].tolist()

    def rate(self, weights, tokens):
        rate, unit = SPEED.search(self.read(weights, tokens, "hidden")).groups()
        return float(rate) * (1000 if unit else 1)


def compare(seqring, args, tokens):
    ids = seqring.ids(tokens)
    if len(ids) < tokens:
        sys.exit(f"llama.py: {args.text} has {len(ids)} tokens and not {tokens}")
    llama = Llama(args.model, tokens, args.threads)
    rates = {name: [] for name in ("llama.cpp", *args.weights)}
    for _ in range(args.repeat):
        rates["llama.cpp"].append(llama.rate(ids))
        for weights in args.weights:
            rates[weights].append(seqring.rate(weights, tokens))
    base = statistics.median(rates["llama.cpp"])
    for name, values in rates.items():
        print(f"{tokens:>8} {name:>12} {statistics.median(values):>12.1f} {statistics.median(values) / base:>8.2f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("model", metavar="MODEL.gguf")
    parser.add_argument("text")
    parser.add_argument("--tokens", default="2047,8191", type=lambda text: [int(n) for n in text.split(",")])
    parser.add_argument("--threads", default=2, type=int)
    parser.add_argument("--repeat", default=3, type=int)
    parser.add_argument("--weights", default="float32,bfloat16", type=lambda text: text.split(","))
    args = parser.parse_args()
    if args.repeat < 1:
        parser.error("--repeat is less than 1")
    print(f"{'tokens':>8} {'engine':>12} {'tokens/s':>12} {'ratio':>8}")
    with tempfile.TemporaryDirectory() as folder:
        seqring = Seqring(args, folder)
        for tokens in args.tokens:
            compare(seqring, args, tokens)


if __name__ == "__main__":
    main()
