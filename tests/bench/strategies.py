#!/usr/bin/env python3
"""What `--strategy auto` takes beside every strategy that applies, measured.

Usage: strategies.py PROGRAM [--ranks N] [--hosts N] [--repeat N] [--shape SEQ,HEADS,DIM,MASK]...
For each shape a line for each strategy and balance: the median time over rounds, and its ratio to that of the fastest one. Rounds
go through all of them, one after the other, so that a machine that becomes slower slows all, and each round begins with another
one; auto's own runs count among those of the way that it took. With --hosts the ranks are spread over so many hosts, made of
network namespaces (tests/hosts/hosts.sh, as root). Ranks may be more than cores.
Exit status 1 when auto is more than 5 % slower than the fastest.
"""
import argparse
import collections
import json
import os
import statistics
import subprocess
import sys

SHAPES = ("8k,4,64,full", "8k,4,64,causal", "16k,8:4,64,causal", "32k,4,64,window:1024", "4k,8,128,full")
STRATEGIES = "node", "ring", "window", "ulysses", "hybrid"
BALANCES = "contiguous", "zigzag", "weighted"
RUNS = 3  # in a round
TOLERANCE = 1.05
ENVIRONMENT = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_mpi_yield_when_idle": "1"}


def launcher(options):
    if options.hosts > 1:
        hosts = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "hosts", "hosts.sh")
        return [hosts, str(options.hosts), str(options.ranks // options.hosts)]
    return ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", str(options.ranks)]


def bench(options, shape, strategies, balances):
    """[(strategy, balance, seconds)] of one round."""
    seq, heads, dim, mask = shape.split(",")
    command = [*launcher(options), options.program, "bench", "attention", "--json", "--seq", seq, "--heads", heads, "--dim", dim,
               "--mask", mask, "--threads", "1", "--repeat", str(RUNS), "--warmup", "1", "--verify", "1",
               "--strategy", ",".join(strategies), "--balance", ",".join(balances)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **ENVIRONMENT})
    if done.returncode:
        sys.exit(f"strategies.py: {' '.join(command)}: {done.stderr or done.stdout}")
    return [(line["strategy"], line["balance"], line["seconds"]["median"]) for line in json.loads(done.stdout)["lines"]]


def applying(options, shape):
    """Those of the strategies that the ranks can go: ulysses deals them query heads."""
    heads = int(shape.split(",")[1].split(":")[0])
    return [strategy for strategy in STRATEGIES if strategy != "ulysses" or heads >= options.ranks]


def measure(options, shape):
    """{(strategy, balance): seconds of all rounds}, and those of them that auto took."""
    balances = BALANCES[:1] if shape.endswith("full") else BALANCES
    strategies = applying(options, shape)
    seconds, taken = collections.defaultdict(list), set()
    for i in range(options.repeat):
        first = i % len(strategies)
        auto = bench(options, shape, ["auto"], ["auto"])
        taken.update(line[:2] for line in auto)
        for strategy, balance, time in auto + bench(options, shape, strategies[first:] + strategies[:first], balances):
            seconds[strategy, balance].append(time)
    return seconds, taken


def report(shape, seconds, taken):
    """Prints a shape; returns the time of what auto took over that of the fastest."""
    median = {way: statistics.median(times) for way, times in seconds.items()}
    best = min(median.values())
    for way, time in sorted(median.items(), key=lambda item: item[1]):
        print(f"{shape:22} {' '.join(way):24} {time * 1e3:8.1f} ms {time / best:6.3f} {'auto' if way in taken else ''}".rstrip())
    print(flush=True)
    return max(median[way] for way in taken) / best


def parse():
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("program", type=os.path.abspath)
    parser.add_argument("--ranks", type=int, default=4)
    parser.add_argument("--hosts", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--shape", action="append")
    options = parser.parse_args()
    if options.repeat < 1:
        parser.error("--repeat is less than 1")
    if options.ranks % options.hosts:
        parser.error("--ranks is no multiple of --hosts")
    return options


def main():
    options = parse()
    ratios = [report(shape, *measure(options, shape)) for shape in options.shape or SHAPES]
    return max(ratios) > TOLERANCE


if __name__ == "__main__":
    sys.exit(main())
