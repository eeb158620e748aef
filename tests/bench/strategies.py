#!/usr/bin/env python3
"""What `--strategy auto` takes beside every strategy that applies, measured.

Usage: strategies.py PROGRAM [--ranks N] [--hosts N] [--repeat N] [--shape SEQ,HEADS,DIM,MASK]...
For each shape a line for each strategy and balance: the median time, its ratio to that of the fastest one, and last the same of
auto. Rounds go through all of them, one after the other, so that a machine that becomes slower slows all. With --hosts the ranks
are spread over so many hosts, made of network namespaces (tests/hosts/hosts.sh, as root). Ranks may be more than cores.
Exit status 1 when auto is more than 5 % slower than the fastest.
"""
import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys

SHAPES = ("8k,4,64,full", "8k,4,64,causal", "16k,8:4,64,causal", "32k,4,64,window:1024", "4k,8,128,full")
STRATEGIES = "node", "ring", "window", "ulysses", "hybrid"
BALANCES = "contiguous", "zigzag", "weighted"
TOLERANCE = 1.05
ENVIRONMENT = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_mpi_yield_when_idle": "1"}


def launcher(options):
    if options.hosts > 1:
        hosts = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "hosts", "hosts.sh")
        return [hosts, str(options.hosts), str(options.ranks // options.hosts)]
    return ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", str(options.ranks)]


def bench(options, shape, strategies, balances):
    """{(strategy, balance): line} of one round."""
    seq, heads, dim, mask = shape.split(",")
    command = [*launcher(options), options.program, "bench", "attention", "--json", "--seq", seq, "--heads", heads, "--dim", dim,
               "--mask", mask, "--threads", "1", "--repeat", "1", "--warmup", "1", "--verify", "1",
               "--strategy", ",".join(strategies), "--balance", ",".join(balances)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **ENVIRONMENT})
    if done.returncode:
        sys.exit(f"strategies.py: {' '.join(command)}: {done.stderr or done.stdout}")
    return dict(zip(itertools.product(strategies, balances), json.loads(done.stdout)["lines"]))


def measure(options, shape):
    """Rounds of {way: line}; auto's way is ("auto", "auto")."""
    balances = BALANCES[:1] if shape.endswith("full") else BALANCES
    rounds = []
    for _ in range(options.repeat):
        rounds.append(bench(options, shape, ["auto"], ["auto"]))
        rounds[-1].update(bench(options, shape, STRATEGIES, balances))
    return rounds


def report(shape, rounds):
    """Prints a shape; returns auto's time over that of the fastest."""
    seconds = {way: statistics.median(r[way]["seconds"]["median"] for r in rounds) for way in rounds[0]}
    auto = seconds.pop(("auto", "auto"))
    best = min(seconds.values())
    for way, time in sorted(seconds.items(), key=lambda item: item[1]):
        print(f"{shape:22} {' '.join(way):24} {time * 1e3:8.1f} ms {time / best:6.3f}")
    taken = {f"{r['auto', 'auto']['strategy']} {r['auto', 'auto']['balance']}" for r in rounds}
    print(f"{shape:22} {'auto: ' + ', '.join(sorted(taken)):24} {auto * 1e3:8.1f} ms {auto / best:6.3f}\n", flush=True)
    return auto / best


def parse():
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("program", type=os.path.abspath)
    parser.add_argument("--ranks", type=int, default=4)
    parser.add_argument("--hosts", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--shape", action="append")
    options = parser.parse_args()
    if options.ranks % options.hosts:
        parser.error("--ranks is no multiple of --hosts")
    return options


def main():
    options = parse()
    ratios = [report(shape, measure(options, shape)) for shape in options.shape or SHAPES]
    return max(ratios) > TOLERANCE


if __name__ == "__main__":
    sys.exit(main())
