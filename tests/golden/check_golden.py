#!/usr/bin/env python3
"""Runs `seqring attend` on the golden cases on one number of ranks; silent, with exit status 0, when all is well.

Usage: check_golden.py PROGRAM --ranks N [--threads N] [--keep DIR | --same-as DIR] FOLDER...

Each FOLDER has a cases.txt (see README.md beside this script). The largest error of o and lse over max(1, |answer|) must be
within the case's tolerance, and NaN, infinities and zeros must stand where the answer has them. --keep saves the bytes of
o and lse in DIR; --same-as demands the bytes that an earlier --keep saved there: the bits of a result do not depend on the
number of ranks and threads. Where SEQRING_ISA names an instruction set that the machine lacks, the exit status is 77.
"""
import argparse
import os
import subprocess
import sys
import tempfile

import h5py
import numpy as np

RUN_LIMIT_S = 120
SKIPPED = 77
LACKS_ISA = 'is not an instruction set of this build and processor'


def arguments():
    parser = argparse.ArgumentParser(usage=__doc__, add_help=False)
    parser.add_argument('program')
    parser.add_argument('folders', nargs='+')
    parser.add_argument('--ranks', type=int, required=True)
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--mpirun', default='mpirun')
    parser.add_argument('--keep')
    parser.add_argument('--same-as')
    return parser.parse_args()


def excess(got, want, tolerance):
    """Largest error as a multiple of the tolerance; infinite where only one of the two is NaN or an infinity."""
    if got.shape != want.shape:
        return np.inf
    got = got.astype('f8')
    same = (got == want) | (np.isnan(got) & np.isnan(want))
    with np.errstate(invalid='ignore'):
        error = np.abs(got - want) / (tolerance * np.maximum(1, np.abs(want)))
    error[~np.isfinite(want)] = np.inf
    error = np.where(same, 0, error)
    return np.inf if np.isnan(error).any() else float(error.max(initial=0))


def run(args, source, out, flags):
    """None, or why the program failed."""
    command = [args.mpirun, '--oversubscribe', '--bind-to', 'none', '-n', str(args.ranks), args.program, 'attend', source,
               '-o', out, *flags]
    env = dict(os.environ, OMP_NUM_THREADS=str(args.threads))
    try:
        done = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=RUN_LIMIT_S)
    except subprocess.TimeoutExpired:
        return f'no end after {RUN_LIMIT_S} s'
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip('-')]
        return f'exit status {done.returncode}: ' + ' / '.join(said[:3])
    return None


def judge(out, answers, tolerance):
    """(the bytes of the result, None or why it is wrong)"""
    with h5py.File(out) as f, h5py.File(answers) as ref:
        o, lse = f['o'][:], f['lse'][:]
        rows = ref['rows'][:] if 'rows' in ref else slice(None)
        if o.dtype not in ('f4', 'f8') or lse.dtype not in ('f4', 'f8'):
            return b'', f'o is {o.dtype}, lse is {lse.dtype}'
        if len(o) <= (rows.max() if 'rows' in ref else -1) or len(o) != len(lse):
            return b'', f'o has {len(o)} rows, lse {len(lse)}'
        for name, got in (('o', o), ('lse', lse)):
            over = excess(got[rows], ref[name][:], tolerance)
            if not over <= 1:
                return b'', f'{name} is off by {over:.3g} times the tolerance'
        if o[rows][np.isneginf(ref['lse'][:])].any():
            return b'', 'o is not 0 where a query sees no key'
    return o.tobytes() + lse.tobytes(), None


def check(args, folder, line, scratch):
    """None, or what is wrong with this case."""
    name, tolerance, *flags = line.split()
    out = f'{scratch}/{name}.h5'
    why = run(args, f'{folder}/{name}.h5', out, flags)
    if why:
        return why
    result, why = judge(out, f'{folder}/{name}.ref.h5', float(tolerance))
    os.remove(out)
    if why:
        return why
    if args.keep:
        with open(f'{args.keep}/{name}', 'wb') as f:
            f.write(result)
    if args.same_as:
        with open(f'{args.same_as}/{name}', 'rb') as f:
            if f.read() != result:
                return 'not the bits of the other number of ranks and threads'
    return None


def main():
    args = arguments()
    failed = total = 0
    if args.keep:
        os.makedirs(args.keep, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        for folder in args.folders:
            with open(f'{folder}/cases.txt') as listing:
                lines = listing.read().splitlines()
            for line in lines:
                why = check(args, folder, line, scratch)
                if why and LACKS_ISA in why and total == 0:
                    print(why)
                    sys.exit(SKIPPED)
                total += 1
                if why:
                    failed += 1
                    print(f'{line.split()[0]} on {args.ranks} x {args.threads}: {why}')
    if failed or not total:
        sys.exit(f'{failed} of {total} cases failed')


if __name__ == '__main__':
    main()
