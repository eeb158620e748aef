#!/usr/bin/env python3
"""Outputs: what other programs find in them, how they come to their names, and who may read them."""
import fcntl
import json
import os
import stat
import subprocess

import h5py
import numpy as np

from program import Case, command, main, read, run, run_command, tensors, write


def bfloat16(x):
    """float32 values of stored bfloat16 ones."""
    return (x.astype('u4') << 16).view('f4')


class Outputs(Case):
    def setUp(self):
        super().setUp()
        self.input, self.out = write(self.path('in.h5')), self.path('o.h5')

    def attend_once(self, *words, **how):
        self.attend(self.input, '-q', '-o', self.out, *words, **how)

    def test_what_is_in_it(self):
        self.attend_once(ranks=2)
        with h5py.File(self.out) as f:
            o, lse = f['o'], f['lse']
            self.assertEqual((o.shape, o.dtype, lse.shape, lse.dtype), ((24, 4, 6), 'f4', (24, 4), 'f4'))
            for dataset in (o, lse):
                self.assertIsNone(dataset.chunks)
                self.assertTrue(dataset.attrs['units'] and dataset.attrs['long_name'])
                for i, name in enumerate(('token', 'head', 'value')[:dataset.ndim]):
                    self.assertEqual([scale.name for scale in dataset.dims[i].values()], ['/' + name])
                    self.assertEqual(f[name].shape, dataset.shape[i:i + 1])
            self.assertTrue(np.isfinite(o[:]).all())
            self.assertEqual(f.attrs['creator'].split()[0], 'seqring')
            self.assertIsInstance(json.loads(f.attrs['provenance']), dict)
            self.assertIn('complete', f.attrs)

    def test_element_types(self):
        self.attend_once()
        with h5py.File(self.out) as f:
            wide = f['o'][:]
        for name, kind, step in (('float32', 'f4', 0), ('float16', 'f2', 2**-10), ('bfloat16', 'u2', 2**-7),
                                 ('float64', 'f8', 2**-23)):
            results = []
            for ranks in (0, 2):
                self.attend_once('--out-dtype', name, ranks=ranks)
                results.append(read(self.out))
            self.assertEqual(*results)
            with h5py.File(self.out) as f:
                self.assertEqual((f['o'].dtype, f['lse'].dtype), (kind, 'f4'))
                if name == 'bfloat16':
                    self.assertEqual(f['o'].attrs['dtype'], 'bfloat16')
                found = bfloat16(f['o'][:]) if name == 'bfloat16' else f['o'][:]
            np.testing.assert_allclose(found, wide, rtol=step, atol=2**-24)
        write(self.input, tensors(dtype='f8'))
        self.attend_once()
        with h5py.File(self.out) as f:
            self.assertEqual((f['o'].dtype, f['lse'].dtype), ('f8', 'f8'))
        self.attend_once('--out-dtype=float16')
        with h5py.File(self.out) as f:
            self.assertEqual((f['o'].dtype, f['lse'].dtype), ('f2', 'f8'))

    def test_output_as_input(self):
        """o in bfloat16 is read again, with the attribute that says so."""
        self.attend_once('--out-dtype', 'bfloat16')
        again = self.path('again.h5')
        with h5py.File(self.out) as f, h5py.File(again, 'w') as g:
            for name in 'qkv':
                f.copy('o', g, name, without_attrs=False)
        self.attend(again, '-q', '-o', self.path('o2.h5'))

    def test_replaced(self):
        """The old file keeps its content for who has it open; a failing run leaves it as it was."""
        with open(self.out, 'w') as f:
            f.write('old')
        with open(self.out) as old:
            self.attend_once(ranks=2)
            self.assertEqual(old.read(), 'old')
        with open(self.out, 'rb') as f:
            good = f.read()
        data = tensors()
        data['k'][3] = np.nan
        bad = write(self.path('bad.h5'), data)
        for ranks in (0, 2):
            self.assertEqual(run('attend', bad, '--nan=error', '-o', self.out, ranks=ranks).status, 6)
            with open(self.out, 'rb') as f:
                self.assertEqual(f.read(), good)
        self.assertEqual(sorted(os.listdir(self.folder)), ['bad.h5', 'in.h5', 'o.h5'])

    def test_link(self):
        """A symbolic link stays one, and what it leads to is replaced."""
        os.mkdir(self.path('far'))
        target = self.path('far', 'o.h5')
        with open(target, 'w') as f:
            f.write('old')
        os.symlink(target, self.out)
        self.attend_once(ranks=2)
        self.assertTrue(os.path.islink(self.out))
        self.assertEqual(len(read(target)[0]), 24 * 4 * 6 * 4)
        self.assertEqual(os.listdir(self.path('far')), ['o.h5'])

    def test_umask(self):
        for mask, mode in ((0o022, 0o644), (0o027, 0o640), (0o077, 0o600), (0o002, 0o664)):
            out, stats = self.path(f'{mask:o}.h5'), self.path(f'{mask:o}.json')
            self.attend(self.input, '-q', '-o', out, '--stats', stats, umask=mask)
            for path in (out, stats):
                self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), mode, path)

    def test_permissions_stay(self):
        """Those of a file that is replaced."""
        stats = self.path('run.json')
        self.attend(self.input, '-q', '-o', self.out, '--stats', stats)
        for mode in (0o600, 0o640, 0o666):
            for path in (self.out, stats):
                os.chmod(path, mode)
            self.attend(self.input, '-q', '-o', self.out, '--stats', stats, umask=0o022)
            for path in (self.out, stats):
                self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), mode, path)

    def test_owner_stays(self):
        if os.geteuid():
            self.skipTest('no right to give files away')
        self.attend_once()
        os.chown(self.out, 12345, 23456)
        self.attend_once()
        about = os.stat(self.out)
        self.assertEqual((about.st_uid, about.st_gid), (12345, 23456))

    def test_same_file(self):
        """Equal runs make equal files."""
        files = []
        for name in ('a.h5', 'b.h5'):
            self.attend(self.input, '-q', '-o', self.path(name))
            with open(self.path(name), 'rb') as f:
                files.append(f.read())
        self.assertEqual(*files)

    def test_closed_streams(self):
        """Nothing that is said goes into the output when it could have the number of a closed stream."""
        self.attend_once()
        want = read(self.out)
        words = command('attend', self.input, '-o', self.out, through=('sh', '-c', 'exec "$@" <&- >&- 2>&-', 'sh'))
        self.assertEqual(run_command([*words, '-q']).status, 0)
        self.assertEqual(read(self.out), want)
        self.assertEqual(run_command(words).status, 1)
        self.assertEqual(read(self.out), want)

    def test_stats_in_place(self):
        """What is no regular file is written to and not replaced."""
        done = self.attend(self.input, '-q', '-o', self.out, '--stats', '/dev/stdout')
        self.assertEqual(json.loads(done.out)['ranks'], 1)

    def test_stats_on_redirected_streams(self):
        """A file that a stream goes to keeps what it holds."""
        log = self.path('log')
        for stream, redirection in (('/dev/stdout', '>>'), ('/dev/stderr', '2>>')):
            with open(log, 'w', encoding='utf-8') as f:
                f.write('before\n')
            through = 'sh', '-c', f'exec "$@" {redirection} {log}', 'sh'
            words = command('attend', self.input, '-q', '-o', self.out, '--stats', stream, through=through)
            self.assertEqual(run_command(words).status, 0)
            with open(log, encoding='utf-8') as f:
                self.assertEqual(f.readline(), 'before\n')
                self.assertEqual(json.load(f)['ranks'], 1)

    def test_stats_to_a_slow_reader(self):
        """More than a pipe holds."""
        fifo, got = self.path('fifo'), self.path('got')
        os.mkfifo(fifo)
        with subprocess.Popen(['sh', '-c', f'exec < {fifo}; sleep 3; cat > {got}']) as reader:
            with open(fifo, 'wb') as held:
                fcntl.fcntl(held, fcntl.F_SETPIPE_SZ, 4096)
                self.attend(self.input, '-q', '-o', self.out, '--stats', fifo, ranks=5)
            reader.wait()
        with open(got, encoding='utf-8') as f:
            self.assertEqual(json.load(f)['ranks'], 5)


if __name__ == '__main__':
    main()
