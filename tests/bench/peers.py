#!/usr/bin/env python3
"""Attention of seqring beside that of PyTorch and ONNX Runtime, on the same shapes and threads.

Usage: peers.py PROGRAM [--seq LIST] [--dim LIST] [--heads LIST] [--threads LIST] [--dtype LIST] [--mask LIST] [--repeat N]
Needs torch and numpy; for ONNX Runtime, which computes float32 alone here, also onnxruntime and onnx.

Measures scaled_dot_product_attention, the operator com.microsoft.MultiHeadAttention and `seqring bench attention` in turn,
N rounds after one to warm up, batch 1, each on tensors laid out as it likes them. Prints the median GFLOP/s of each, and the
median over the rounds of seqring's speed over each other's: the clock of a shared machine wanders. Sampled rows of every
result are compared with float64 first. The last columns are the largest of their errors.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time

# Each engine is told its threads; what the environment says of threads would bind some of them only.
for name in [name for name in os.environ if name.startswith(("OPENBLAS_", "OMP_", "GOMP_", "KMP_", "MKL_"))]:
    del os.environ[name]
try:
    import numpy as np
    import torch
except ImportError as missing:
    sys.exit(f"peers.py: {missing.name} is missing: start it with the Python of a virtual environment that has torch and numpy")
try:
    import onnx
    import onnxruntime
except ImportError as missing:
    onnx, onnx_missing = None, missing.name

# Threads without work look out for some before they sleep.
PAUSE_S = 0.1
# Queries compared with float64, and what their error may be.
ROWS = 8
ERROR_MAX = {"f32": 1e-5, "bf16": 2e-2}
TORCH_TYPE = {"f32": torch.float32, "bf16": torch.bfloat16}


def rows_of(tokens):
    return np.linspace(0, tokens - 1, ROWS).astype(int)


def answer(q, k, v, causal):
    """The sampled rows of softmax(q k^T / sqrt(width)) v in float64, of [heads, tokens, width] tensors."""
    rows = rows_of(q.shape[1])
    q, k, v = (x.double().numpy() for x in (q[:, rows], k, v))
    scores = q @ k.transpose(0, 2, 1) / np.sqrt(q.shape[2])
    if causal:
        scores[:, np.arange(k.shape[1]) > rows[:, None]] = -np.inf
    weights = np.exp(scores - scores.max(2, keepdims=True))
    return weights @ v / weights.sum(2, keepdims=True)


class Torch:
    """PyTorch on [1, heads, tokens, width]."""
    name = "PyTorch"

    def __init__(self, shape, q, k, v):
        self.threads, self.causal, self.inputs = shape.threads, shape.mask == "causal", [x[None] for x in (q, k, v)]

    def run(self):
        torch.set_num_threads(self.threads)
        with torch.inference_mode():
            start = time.perf_counter()
            self.o = torch.nn.functional.scaled_dot_product_attention(*self.inputs, is_causal=self.causal)
            return time.perf_counter() - start

    def sampled(self):
        return self.o[0][:, rows_of(self.o.shape[2])].double().numpy()


def onnx_model(shape):
    """One MultiHeadAttention on [1, tokens, heads * width]."""
    def tensor(name):
        dims = 1, shape.tokens, shape.heads * shape.dim
        return onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, dims)
    node = onnx.helper.make_node("MultiHeadAttention", ["q", "k", "v"], ["o"], domain="com.microsoft", num_heads=shape.heads,
                                 unidirectional=int(shape.mask == "causal"))
    graph = onnx.helper.make_graph([node], "attention", [tensor(name) for name in "qkv"], [tensor("o")])
    versions = [onnx.helper.make_opsetid("", 17), onnx.helper.make_opsetid("com.microsoft", 1)]
    return onnx.helper.make_model(graph, opset_imports=versions, ir_version=8).SerializeToString()


class Onnx:
    name = "ONNX Runtime"

    def __init__(self, shape, q, k, v):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = shape.threads, 1
        self.session = onnxruntime.InferenceSession(onnx_model(shape), options, providers=["CPUExecutionProvider"])
        self.heads = shape.heads
        self.inputs = {name: np.ascontiguousarray(x.numpy().transpose(1, 0, 2)).reshape(1, shape.tokens, -1)
                       for name, x in zip("qkv", (q, k, v))}

    def run(self):
        start = time.perf_counter()
        self.o, = self.session.run(["o"], self.inputs)
        return time.perf_counter() - start

    def sampled(self):
        o = self.o[0].reshape(self.o.shape[1], self.heads, -1)
        return o[rows_of(o.shape[0])].transpose(1, 0, 2).astype(np.float64)


class Seqring:
    """A process of its own a round, whose numbers have the same distribution and are checked by itself."""
    name = "seqring"

    def __init__(self, program, shape):
        self.command = [program, "bench", "attention", "--json", "--repeat", "1", "--warmup", "1", "--verify", str(ROWS)]
        for option, value in (("--seq", shape.tokens), ("--heads", shape.heads), ("--dim", shape.dim), ("--dtype", shape.dtype),
                              ("--mask", shape.mask), ("--threads", shape.threads)):
            self.command += [option, str(value)]

    def run(self):
        self.told = json.loads(subprocess.run(self.command, check=True, stdout=subprocess.PIPE).stdout)
        self.line, = self.told["lines"]
        return self.line["seconds"]["median"]


class Shape(argparse.Namespace):
    """tokens, dim, heads, threads, dtype, mask of one line."""


def shapes(options):
    for dtype in options.dtype:
        for heads in options.heads:
            for dim in options.dim:
                for tokens in options.seq:
                    for mask in options.mask:
                        for threads in options.threads:
                            yield Shape(tokens=tokens, dim=dim, heads=heads, threads=threads, dtype=dtype, mask=mask)


def engines_for(program, shape, q, k, v):
    engines = [Seqring(program, shape), Torch(shape, q, k, v)]
    if onnx and shape.dtype == "f32":
        engines.append(Onnx(shape, q, k, v))
    return engines


def measure(engines, repeat):
    """Seconds of each engine in each round; the first of a round is another one each time."""
    rounds = []
    for i in range(repeat + 1):
        seconds = {}
        for j in range(len(engines)):
            engine = engines[(i + j) % len(engines)]
            time.sleep(PAUSE_S)
            seconds[engine.name] = engine.run()
        rounds.append(seconds)
    return rounds[1:]


def check(shape, engines, want):
    """The largest error of each engine; ends the program when one computes something else."""
    errors = {}
    for engine in engines:
        errors[engine.name] = (engine.line["verify"]["o_error"] if engine.name == "seqring" else
                               float(np.abs(engine.sampled() - want).max()))
        if not errors[engine.name] <= ERROR_MAX[shape.dtype]:
            sys.exit(f"{os.path.basename(sys.argv[0])}: {engine.name} is off by {errors[engine.name]:.1e} on {shape}")
    return errors


NAMES = "seqring", "PyTorch", "ONNX Runtime"


def print_head(told, repeat):
    machine = told["machine"]
    ort = f"ONNX Runtime {onnxruntime.__version__}" if onnx else f"ONNX Runtime absent ({onnx_missing} is missing)"
    print(f"{machine['processor']}, seqring {machine['versions']['seqring']} ({machine['isa']}), PyTorch {torch.__version__}, "
          f"{ort}; {repeat} rounds\n")
    print(f"{'dtype':5} {'heads':>5} {'dim':>4} {'tokens':>8}  {'mask':6} {'threads':>7}  "
          + "".join(f"{name:>13}" for name in NAMES) + " GFLOP/s" + "".join(f"{'/ ' + name:>15}" for name in NAMES[1:])
          + "  error of o", flush=True)


def print_line(shape, flops, rounds, errors):
    line = f"{shape.dtype:5} {shape.heads:5} {shape.dim:4} {shape.tokens:8}  {shape.mask:6} {shape.threads:7}  "
    for name in NAMES:
        line += f"{statistics.median(flops / r[name] * 1e-9 for r in rounds):13.1f}" if name in errors else f"{'-':>13}"
    line += " " * 8
    for name in NAMES[1:]:
        line += f"{statistics.median(r[name] / r['seqring'] for r in rounds):13.2f} x" if name in errors else f"{'-':>15}"
    print(line + "  " + " ".join(f"{error:.1e}" for error in errors.values()), flush=True)


def tensors(shape):
    """q, k and v, [heads, tokens, width]."""
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(shape.heads, shape.tokens, shape.dim, generator=generator).to(TORCH_TYPE[shape.dtype]) for _ in "qkv"]


def words(choices):
    def split(text):
        if wrong := [word for word in text.split(",") if word not in choices]:
            raise argparse.ArgumentTypeError(f"'{wrong[0]}' is not one of {', '.join(choices)}")
        return text.split(",")
    return split


def numbers(text):
    """As seqring reads them: k is 1024, M is 1024 * 1024."""
    units = {"k": 1024, "M": 1024 * 1024}
    try:
        return [int(word.rstrip("kM")) * units.get(word[-1:], 1) for word in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is no list of numbers such as 4k,16k") from None


def main():
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("program", type=os.path.abspath)
    parser.add_argument("--seq", type=numbers, default=[2048, 8192])
    parser.add_argument("--dim", type=numbers, default=[64, 128])
    parser.add_argument("--heads", type=numbers, default=[8])
    parser.add_argument("--threads", type=numbers, default=[1, 2])
    parser.add_argument("--dtype", type=words(TORCH_TYPE), default=["f32"])
    parser.add_argument("--mask", type=words(("full", "causal")), default=["full", "causal"])
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    if options.repeat < 1:
        parser.error("--repeat is less than 1")
    told = None
    for shape in shapes(options):
        q, k, v = tensors(shape)
        engines = engines_for(options.program, shape, q, k, v)
        rounds = measure(engines, options.repeat)
        errors = check(shape, engines, answer(q, k, v, shape.mask == "causal"))
        if not told:
            print_head(told := engines[0].told, options.repeat)
        print_line(shape, engines[0].line["flops"], rounds, errors)


if __name__ == "__main__":
    main()
