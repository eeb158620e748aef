#!/usr/bin/env python3
"""What a model's surprise is good for in logs: lines of one real log, planted at seeded places in another, are to be found again.

Usage: log_surprise.py PROGRAM MODEL.h5 HOST.log OTHER.log [--lines N] [--planted N] [--seeds LIST] [--windows LIST] [--ranks N]
  HOST.log, OTHER.log   as OpenSSH_2k.log and Linux_2k.log of https://github.com/logpai/loghub, whose licence forbids to pass
                        them on: whoever tries this fetches them

The first --lines of HOST.log get --planted lines of OTHER.log, which take over date, time and host from the line before, so that
nothing but what they say gives them away. Each line is scored by `seqring run`, the mean surprise of its tokens given all that came
before (full), or no more than a window and 4 sinks; and by two baselines: its length, and how rare its template is (the line with
what has digits left out). Printed are the area under the ROC curve, and the share of planted lines among the --planted that score
highest, means over the seeds. Needs NumPy and h5py.
"""
import argparse
import collections
import math
import os
import random
import re
import subprocess
import sys
import tempfile

import h5py
import numpy as np

HEAD = re.compile(r"^(\S+ +\d+ [\d:]+ \S+ )(.*)$", re.DOTALL)
SINKS = 4


def read_lines(path):
    """(head, message) of each line: date, time and host, and the rest."""
    with open(path, encoding="utf-8", errors="replace") as f:
        found = [HEAD.match(line.rstrip("\r\n")) for line in f]
    if not found or not all(found):
        sys.exit(f"log_surprise.py: {path}: a line does not begin with date, time and host")
    return [match.groups() for match in found]


def mix(host, other, planted, seed):
    """Lines, and which of them are planted."""
    rng = random.Random(seed)
    lines, is_planted = [head + text for head, text in host], [False] * len(host)
    places = sorted(rng.sample(range(len(host) // 10, len(host)), planted), reverse=True)
    for place, (_, text) in zip(places, rng.sample(other, planted)):
        lines.insert(place, host[place - 1][0] + text)
        is_planted.insert(place, True)
    return lines, np.array(is_planted)


def template(line):
    return " ".join(word for word in HEAD.match(line)[2].split() if not re.search(r"\d", word))


def rarity(lines):
    count = collections.Counter(map(template, lines))
    return [-math.log(count[template(line)]) for line in lines]


def surprise(args, lines, window, folder):
    text, out = os.path.join(folder, "text"), os.path.join(folder, "out.h5")
    with open(text, "w", encoding="utf-8") as f:
        f.write("\n".join(lines) + "\n")
    words = [] if window == "full" else [f"--window={int(window) - 1},0", f"--sinks={SINKS}"]
    launch = ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", str(args.ranks)] if args.ranks > 1 else []
    subprocess.run([*launch, args.program, "run", "-q", "--model", args.model, "--text", text, "-o", out, "--unit", "line",
                    "--outputs", "surprise", *words], check=True, stderr=subprocess.DEVNULL)
    with h5py.File(out) as f:
        return f["surprise"][:]


def area(score, is_planted):
    """Under the ROC curve: how often a planted line scores higher than another, ties counting half."""
    a, b = np.asarray(score)[is_planted], np.sort(np.asarray(score)[~is_planted])
    return float(np.mean((np.searchsorted(b, a, "left") + np.searchsorted(b, a, "right")) / 2 / len(b)))


def precision(score, is_planted):
    order = np.argsort(-np.asarray(score), kind="stable")
    return float(is_planted[order[:is_planted.sum()]].mean())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in "program", "model", "host", "other":
        parser.add_argument(name)
    parser.add_argument("--lines", default=400, type=int)
    parser.add_argument("--planted", default=20, type=int)
    parser.add_argument("--seeds", default="1,2,3", type=lambda text: [int(n) for n in text.split(",")])
    parser.add_argument("--windows", default="full,512,2048", type=lambda text: text.split(","))
    parser.add_argument("--ranks", default=1, type=int)
    args = parser.parse_args()
    host, other = read_lines(args.host)[:args.lines], read_lines(args.other)
    found = collections.defaultdict(list)
    for seed in args.seeds:
        lines, is_planted = mix(host, other, args.planted, seed)
        scores = {"length": [len(line) for line in lines], "rare template": rarity(lines)}
        with tempfile.TemporaryDirectory() as folder:
            for window in args.windows:
                scores[f"surprise, {window}"] = surprise(args, lines, window, folder)
        for name, score in scores.items():
            found[name].append((area(score, is_planted), precision(score, is_planted)))
    print(f"{'score':>20} {'area':>8} {'precision':>10}")
    for name, values in found.items():
        print(f"{name:>20} {np.mean([v[0] for v in values]):>8.3f} {np.mean([v[1] for v in values]):>10.3f}")


if __name__ == "__main__":
    main()
