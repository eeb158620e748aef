#!/usr/bin/env python3
"""Attention of seqring over several ranks beside two other ring attentions, on the same cores.

Usage: ring_peers.py PROGRAM [--seq LIST] [--heads LIST] [--dim LIST] [--mask LIST] [--ranks N] [--repeat N] [--blocks LIST]
Needs mpirun, and the Python of a virtual environment with
    pip install jax==0.7.2 ringattention==0.1.2 torch==2.15.0 ring-attention-pytorch==0.5.20
(later versions of jax lack what ringattention 0.1.2 imports).

JAX: `ringattention` under shard_map, one process, a host device a rank. lucidrains: `ring_flash_attn` over gloo, a process of
one thread a rank. seqring: `mpirun seqring bench attention`, one thread a rank. All keep to the same N cores, compute forwards
in float32 and have their shards in memory. The two others get those of --blocks that are the fastest for the shape, found
beforehand (--blocks 1024: as in their examples). The time is that of the slowest rank from a common start; rounds, ratios and
the check against float64 are those of peers.py. GFLOP/s count the pairs that the mask shows.
"""
import argparse
import contextlib
import functools
import importlib.metadata
import importlib.util
import itertools
import multiprocessing
import multiprocessing.connection
import os
import statistics
import subprocess
import sys
import tempfile
import time

for name in "numpy", "torch", "jax", "ringattention", "ring_attention_pytorch":
    if not importlib.util.find_spec(name):
        sys.exit(f"ring_peers.py: {name} is missing: the head of this file tells how to make a virtual environment with it")
import numpy as np
import torch

import peers

TRIALS = 2  # of a block size
NAMES = "seqring", "JAX", "lucidrains"
ROOT = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}


def inputs(shape):
    """q, k and v, [1, tokens, heads, width]."""
    return [x.transpose(0, 1)[None].contiguous() for x in peers.tensors(shape)]


def head_first(rows):
    """[rows, heads, width], as peers.answer has them."""
    return np.asarray(rows, np.float64).transpose(1, 0, 2)


class Jax:
    """The one process of JAX."""

    def __init__(self, rank, ranks, meeting):
        os.environ.update(JAX_PLATFORMS="cpu", XLA_FLAGS=f"--xla_force_host_platform_device_count={ranks}")
        import jax
        import ringattention
        self.jax, self.ringattention = jax, ringattention.ringattention
        self.mesh = jax.make_mesh((ranks,), ("sp",))

    def load(self, shape, blocks):
        """As the README of ringattention has it."""
        attention = functools.partial(
            self.ringattention, axis_name="sp", float32_logits=True, cache_idx=None, blockwise_kwargs=dict(
                causal_block_size=1 if shape.mask == "causal" else None, query_chunk_size=blocks[0], key_chunk_size=blocks[1],
                deterministic=True, dropout_rng=None, attn_pdrop=0.0, dtype=self.jax.numpy.float32, precision=None,
                policy=self.jax.checkpoint_policies.nothing_saveable, prevent_cse=True))
        spec, whole = self.jax.P(None, "sp", None, None), self.jax.P()
        self.attention = self.jax.jit(self.jax.shard_map(attention, mesh=self.mesh, in_specs=(spec, spec, spec, whole, whole),
                                                         out_specs=spec, check_vma=False))
        self.inputs = [self.jax.device_put(x.numpy(), self.jax.NamedSharding(self.mesh, spec)) for x in inputs(shape)]

    def run(self):
        start = time.perf_counter()
        self.o = self.attention(*self.inputs, None, None).block_until_ready()
        return time.perf_counter() - start

    def sampled(self):
        return head_first(np.asarray(self.o)[0, peers.rows_of(self.o.shape[1])])


class Lucidrains:
    """One of the processes of ring-attention-pytorch."""

    def __init__(self, rank, ranks, meeting):
        from ring_attention_pytorch.ring_flash_attention import ring_flash_attn
        self.attention, self.rank, self.ranks = ring_flash_attn, rank, ranks
        torch.set_num_threads(1)
        torch.distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=ranks)

    def load(self, shape, blocks):
        self.options = dict(causal=shape.mask == "causal", bucket_size=blocks[0], ring_reduce_col=True)
        self.inputs = [x.chunk(self.ranks, 1)[self.rank].contiguous() for x in inputs(shape)]

    def run(self):
        with torch.no_grad():
            torch.distributed.barrier()
            start = time.perf_counter()
            self.o = self.attention(*self.inputs, **self.options)
            return time.perf_counter() - start

    def sampled(self):
        tokens = self.o.shape[1]
        rows = peers.rows_of(tokens * self.ranks)
        return head_first(self.o[0, rows[rows // tokens == self.rank] % tokens])


def serve(pipe, kind, rank, ranks, meeting):
    """A worker's life: calls what the pipe names and answers (True, result), or (False, what went wrong) and ends."""
    try:
        worker = kind(rank, ranks, meeting)
        while True:
            method, *arguments = pipe.recv()
            pipe.send((True, getattr(worker, method)(*arguments)))
    except EOFError:
        pass
    except Exception as failure:
        with contextlib.suppress(BrokenPipeError):  # nobody listens any more
            pipe.send((False, f"{type(failure).__name__}: {failure}"))


class Peer:
    """Worker processes that together are one of the engines."""

    def __init__(self, name, kind, processes, ranks, blocks, folder):
        self.name, self.choices = name, blocks
        self.pipes = [self.start(kind, rank, ranks, f"{folder}/{name}") for rank in range(processes)]

    @staticmethod
    def start(*arguments):
        spawn = multiprocessing.get_context("spawn")
        ours, theirs = spawn.Pipe()
        spawn.Process(target=serve, args=(theirs, *arguments), daemon=True).start()
        theirs.close()
        return ours

    def answer_of(self, pipe):
        try:
            fine, answer = pipe.recv()
        except EOFError:
            fine, answer = False, "a worker process died"
        if not fine:
            sys.exit(f"ring_peers.py: {self.name}: {answer}")
        return answer

    def ask(self, *request):
        """Calls a method of all workers; their answers, in the order of ranks."""
        for pipe in self.pipes:
            with contextlib.suppress(BrokenPipeError):  # it has left an answer that says why
                pipe.send(request)
        answers = {}
        while waiting := [pipe for pipe in self.pipes if pipe not in answers]:
            for pipe in multiprocessing.connection.wait(waiting):
                answers[pipe] = self.answer_of(pipe)
        return [answers[pipe] for pipe in self.pipes]

    def prepare(self, shape, ranks):
        """Loads the shape, with the block sizes that are the fastest."""
        seconds = {}
        for blocks in self.choices:
            if any(shape.tokens // ranks % block for block in blocks):
                continue
            self.ask("load", shape, blocks)
            self.run()
            seconds[blocks] = min(self.run() for _ in range(TRIALS))
        self.blocks = min(seconds, key=seconds.get)
        self.ask("load", shape, self.blocks)

    def run(self):
        return max(self.ask("run"))

    def sampled(self):
        return np.concatenate(self.ask("sampled"), axis=1)


def seqring_for(options, shape):
    engine = peers.Seqring(options.program, shape)
    engine.command = ["mpirun", "--bind-to", "none", "-n", str(options.ranks), *engine.command]
    return engine


def keep_to_cores(ranks):
    """This process and those that it will start."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < ranks:
        sys.exit(f"ring_peers.py: {ranks} ranks on {len(cores)} cores would tell nothing")
    os.sched_setaffinity(0, cores[:ranks])


def print_head(options, told):
    machine, version = told["machine"], importlib.metadata.version
    print(f"{machine['processor']}, {options.ranks} x 1 thread, seqring {machine['versions']['seqring']} ({machine['isa']}), "
          f"JAX {version('jax')} with ringattention {version('ringattention')}, PyTorch {version('torch')} with "
          f"ring-attention-pytorch {version('ring-attention-pytorch')} by lucidrains; {options.repeat} rounds\n")
    print(f"{'mask':6} {'heads':>5} {'dim':>4} {'tokens':>8}  " + "".join(f"{name:>12}" for name in NAMES) + " GFLOP/s"
          + "".join(f"{'/ ' + name:>14}" for name in NAMES[1:]) + f"  {'error of o':23}  blocks of the others", flush=True)


def print_line(shape, flops, rounds, errors, others):
    line = f"{shape.mask:6} {shape.heads:5} {shape.dim:4} {shape.tokens:8}  "
    for name in NAMES:
        line += f"{statistics.median(flops / r[name] * 1e-9 for r in rounds):12.1f}"
    line += " " * 8
    for name in NAMES[1:]:
        line += f"{statistics.median(r[name] / r['seqring'] for r in rounds):12.2f} x"
    line += "  " + " ".join(f"{error:.1e}" for error in errors.values())
    print(line + "  " + ", ".join("x".join(map(str, peer.blocks)) for peer in others), flush=True)


def compare(options, others):
    told = None
    for shape in peers.shapes(options):
        for peer in others:
            peer.prepare(shape, options.ranks)
        seqring = seqring_for(options, shape)
        rounds = peers.measure([seqring, *others], options.repeat)
        errors = peers.check(shape, [seqring, *others], peers.answer(*peers.tensors(shape), shape.mask == "causal"))
        if not told:
            print_head(options, told := seqring.told)
        print_line(shape, seqring.line["flops"], rounds, errors, others)


def parse():
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.set_defaults(dtype=["f32"], threads=[1])
    parser.add_argument("program", type=os.path.abspath)
    parser.add_argument("--seq", type=peers.numbers, default=[8192])
    parser.add_argument("--heads", type=peers.numbers, default=[4])
    parser.add_argument("--dim", type=peers.numbers, default=[64])
    parser.add_argument("--mask", type=peers.words(("full", "causal")), default=["full", "causal"])
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--blocks", type=peers.numbers, default=[128, 256, 512])
    options = parser.parse_args()
    if options.repeat < 1:
        parser.error("--repeat is less than 1")
    if wrong := [tokens for tokens in options.seq if tokens % (min(options.blocks) * options.ranks)]:
        parser.error(f"--seq: {wrong[0]} tokens are no whole blocks of {min(options.blocks)} on each of {options.ranks} ranks")
    return options


def main():
    options = parse()
    keep_to_cores(options.ranks)
    if os.geteuid() == 0:
        os.environ.update(ROOT)
    with tempfile.TemporaryDirectory() as folder:
        others = [Peer("JAX", Jax, 1, options.ranks, list(itertools.product(options.blocks, repeat=2)), folder),
                  Peer("lucidrains", Lucidrains, options.ranks, options.ranks, [(block,) for block in options.blocks], folder)]
        try:
            compare(options, others)
        except (OSError, subprocess.CalledProcessError) as failure:
            sys.exit(f"ring_peers.py: {failure}")


if __name__ == "__main__":
    main()
