#!/usr/bin/env python3
"""How much faster two threads, or two ranks, are than one: attention time and wall clock of seqring attend.

Usage: scaling.py PROGRAM [--tokens N] [--heads N] [--repeat N] [FLAG OF ATTEND ...]        needs numpy and h5py

Runs 1 rank x 1 thread, 1 x 2 and 2 x 1 in turn, N times after one warm-up, width 64, float32. Prints the median seconds of
attention (from --stats) and of the whole mpirun command, and the median over the rounds of each one's ratio to 1 x 1.
"""
import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time

import h5py
import numpy as np

SHAPES = (1, 1), (1, 2), (2, 1)
ROOT = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}


def run(program, folder, ranks, threads, flags):
    """Attention seconds and wall seconds of one run."""
    command = ["mpirun", "--bind-to", "none", "-n", str(ranks), program, "attend", f"{folder}/in.h5", "-o",
               f"{folder}/out.h5", "-q", "--threads", str(threads), "--stats", f"{folder}/stats.json", *flags]
    start = time.perf_counter()
    subprocess.run(command, check=True, env={**os.environ, **(ROOT if os.geteuid() == 0 else {})})
    wall = time.perf_counter() - start
    with open(f"{folder}/stats.json") as file:
        return json.load(file)["attention_s"]["max"], wall


def main():
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("program", type=os.path.abspath)
    parser.add_argument("--tokens", type=int, default=16384)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--repeat", type=int, default=5)
    options, flags = parser.parse_known_args()
    if options.repeat < 1:
        parser.error("--repeat is less than 1")
    random = np.random.default_rng(1)
    with tempfile.TemporaryDirectory() as folder:
        with h5py.File(f"{folder}/in.h5", "w") as file:
            for name in "qkv":
                file[name] = random.standard_normal((options.tokens, options.heads, 64)).astype(np.float32)
        rounds = [[run(options.program, folder, *shape, flags) for shape in SHAPES] for _ in range(options.repeat + 1)][1:]
    print(f"{options.tokens} tokens, {options.heads} heads, {' '.join(flags) or 'full'}, {options.repeat} rounds")
    for i, (ranks, threads) in enumerate(SHAPES):
        seconds = [statistics.median(r[i][what] for r in rounds) for what in (0, 1)]
        gain = [statistics.median(r[0][what] / r[i][what] for r in rounds) for what in (0, 1)]
        print(f"{ranks} x {threads}   attention {seconds[0]:7.3f} s  {gain[0]:5.2f} x   wall {seconds[1]:7.3f} s  {gain[1]:5.2f} x")


if __name__ == "__main__":
    main()
