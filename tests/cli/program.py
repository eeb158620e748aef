"""What the tests of the program share: ways to run it, inputs, and a silent runner.

Each test is started as `SUBJECT.py PROGRAM MPIRUN [ARGUMENT OF unittest]...`.
"""
import io
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import h5py
import numpy as np

PROGRAM, MPIRUN = (os.path.abspath(shutil.which(word)) for word in sys.argv[1:3])
SOURCES = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
KJV = os.path.join(SOURCES, 'tests', 'golden', 'kjv1024.h5')

# No failure may take longer. The sanitizers slow every start down.
FAILURE_LIMIT_S = 10
# After this a run counts as hanging. With the sanitizers a real model takes 40 s alone on two cores, which it often shares.
RUN_LIMIT_S = 180
# Most of a failing job is mpirun's patience with the other ranks, during which no processor works.
AT_ONCE = 16


@dataclass
class Done:
    """What became of a run."""
    status: int
    out: str
    said: list  # lines of stderr, without warnings and what mpirun says
    warned: list  # warnings
    seconds: float


def without_mpirun(text):
    """The lines that are not mpirun's, which frames its own in lines of hyphens."""
    said, framed = [], False
    for line in text.splitlines():
        if len(line) > 20 and not line.strip('-'):
            framed = not framed
        elif line.startswith('seqring') or (line.strip() and not framed):
            said.append(line)
    return said


def command(*words, ranks=0, through=()):
    """ranks 0: without mpirun; through: words of a command that starts each rank."""
    start = [MPIRUN, '--oversubscribe', '--bind-to', 'none', '-n', str(ranks)] if ranks else []
    return [*start, *through, PROGRAM, *map(str, words)]


def run_command(words, env=None, stdout=subprocess.PIPE, **how):
    start = time.monotonic()
    done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE, text=True,
                          errors='replace', timeout=RUN_LIMIT_S, env={**os.environ, **(env or {})}, **how)
    said = without_mpirun(done.stderr)
    warned = [line for line in said if line.startswith('seqring: warning: ')]
    return Done(done.returncode, done.stdout, [line for line in said if line not in warned], warned,
                time.monotonic() - start)


def run(*words, ranks=0, **how):
    return run_command(command(*words, ranks=ranks), **how)


def tensors(q=(24, 4, 8), k=(40, 2, 8), v=(40, 2, 6), dtype='f4'):
    rng = np.random.default_rng(7)
    return {name: rng.standard_normal(shape).astype(dtype) for name, shape in (('q', q), ('k', k), ('v', v))}


def write(path, data=None, group='/', file=None, **how):
    """An input; file: arguments of h5py.File, how: of create_dataset."""
    with h5py.File(path, 'w', **(file or {})) as f:
        for name, x in (tensors() if data is None else data).items():
            f.require_group(group).create_dataset(name, data=x, **how)
    return path


def read(path):
    """The bytes of o and lse."""
    with h5py.File(path) as f:
        return f['o'][:].tobytes(), f['lse'][:].tobytes()


@dataclass
class Refusal:
    """A job that must fail: exit status, words of the one line, and the words of its command line behind `attend`.
    Without an -o among them the output goes to a folder that must stay empty."""
    status: int
    expected: tuple
    words: tuple


class Case(unittest.TestCase):
    """A test with an empty folder of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, *name):
        return os.path.join(self.folder, *name)

    def attend(self, *words, ranks=0, **how):
        """A run that must succeed, and be silent but for its summary."""
        done = run('attend', *words, ranks=ranks, **how)
        self.assertEqual((done.status, done.said), (0, []))
        return done

    def attend_to(self, name, *words, **how):
        """As attend, with an output of this name; returns its bytes."""
        self.attend(*words, '-q', '-o', self.path(name), **how)
        return read(self.path(name))

    def tokens_of(self, model, text):
        """What tokenize makes of bytes."""
        path = self.path('text')
        with open(path, 'wb') as f:
            f.write(text)
        done = run('tokenize', '--model', model, path)
        self.assertEqual((done.status, done.said), (0, []))
        return [int(word) for word in done.out.split()]

    def refuse_command(self, status, expected, *words, rank_counts=(0,)):
        """A command, by all of its words, that must fail, say one line with what is expected, and leave nothing."""
        before = sorted(os.listdir(self.folder))
        for ranks in rank_counts:
            with self.subTest(expected=expected, ranks=ranks):
                self.check_refusal(Refusal(status, expected, words), run(*words, ranks=ranks))
                self.assertEqual(sorted(os.listdir(self.folder)), before)

    def check_refusal(self, refusal, done):
        """One line that holds the expected words, in time."""
        self.assertEqual((done.status, len(done.said)), (refusal.status, 1), done.said)
        self.assertTrue(done.said[0].startswith('seqring: '), done.said)
        for word in refusal.expected:
            self.assertIn(word, done.said[0])
        self.assertLess(done.seconds, FAILURE_LIMIT_S)


NOBODY = 65534


def unprivileged(case):
    """Arguments of run_command for a process without root's rights, which can use the folder of case. Skips the test
    where such a process cannot be had."""
    os.chmod(case.folder, 0o777)
    if os.geteuid():
        return {}
    how = {'user': NOBODY, 'group': NOBODY, 'extra_groups': [], 'env': {'HOME': case.folder}}
    try:
        possible = run('version', **how).status == 0
    except PermissionError:
        possible = False
    if not possible:
        case.skipTest('root may do everything, and nobody may not start the program')
    return how


def run_refusal(folder, refusal, ranks, how):
    out = tempfile.mkdtemp(dir=folder)
    os.chmod(out, 0o777)
    given = '-o' in refusal.words or '--output' in refusal.words
    words = refusal.words if given else (*refusal.words, '-o', os.path.join(out, 'o.h5'))
    done = run('attend', *words, ranks=ranks, **how)
    return done, os.listdir(out)


def check_refusals(case, refusals, rank_counts=(0, 2), how=None):
    """Runs all of them alone and on two ranks, several at once; how: further arguments of run_command."""
    jobs = [(refusal, ranks) for refusal in refusals for ranks in rank_counts]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        results = list(pool.map(lambda job: run_refusal(case.folder, *job, how or {}), jobs))
    for (refusal, ranks), (done, left) in zip(jobs, results):
        with case.subTest(words=refusal.words, ranks=ranks):
            case.check_refusal(refusal, done)
            case.assertEqual(left, [])


def main():
    """Runs the tests of the calling file; says nothing but why one failed or was skipped."""
    report = io.StringIO()
    done = unittest.main(argv=[sys.argv[0], *sys.argv[3:]], exit=False,
                         testRunner=unittest.TextTestRunner(report, buffer=True)).result
    if not done.wasSuccessful() or not done.testsRun:
        sys.exit(report.getvalue())
    for test, why in done.skipped:
        print(f'{test}: skipped: {why}')
