#!/usr/bin/env python3
"""Outputs that attend cannot make: paths that cannot be written, the input, a full disk, a limit on file sizes."""
import os
import resource

from program import Case, Refusal, check_refusals, command, main, run_command, tensors, unprivileged, write

ARGUMENT_ERROR, OUTPUT_ERROR, RESOURCE_ERROR = 2, 4, 5

# Mounts a small file system on $1, runs the rest, and lists what is left there in the file $2. It runs as root of a
# user namespace, so that MPI's folder for root may be another's.
IN_SMALL_FOLDER = '''mount -t tmpfs -o size=64k none "$1" || exit 99
folder=$1 listing=$2
shift 2
"$@"
status=$?
ls -A "$folder" > "$listing"
exit $status'''


def content(path):
    with open(path, 'rb') as f:
        return f.read()


class Outputs(Case):
    def setUp(self):
        super().setUp()
        self.input = write(self.path('in.h5'))

    def long_input(self):
        """Its output takes 42 MB."""
        return write(self.path('long.h5'), tensors(q=(20000, 8, 64), k=(1, 8, 64), v=(1, 8, 64)))

    def refuse(self, outputs, **how):
        """outputs: path -> words of the message"""
        before = sorted(os.listdir(self.folder))
        check_refusals(self, [Refusal(OUTPUT_ERROR, (path, *words), (self.input, '-o', path))
                              for path, words in outputs.items()], **how)
        left = [name for name in os.listdir(self.folder) if name not in before and os.listdir(self.path(name))]
        self.assertEqual(left, [])

    def test_path(self):
        folder, fifo = self.path('folder'), self.path('fifo')
        os.mkdir(folder)
        os.mkfifo(fifo)
        os.symlink(self.path('missing', 'o.h5'), self.path('nowhere'))
        self.refuse({self.path('missing', 'o.h5'): ('No such file',), self.input + '/o.h5': ('Not a directory',),
                     folder: ('directory',), folder + '/': ('directory',), self.path('new') + '/': ('directory',),
                     '/dev/null': ('not a regular file',), '/dev/full': ('not a regular file',),
                     fifo: ('not a regular file',), self.path('nowhere'): ('leads nowhere',),
                     self.path('x' * 256): ('too long',)})
        self.assertEqual(os.listdir(folder), [])

    def test_input(self):
        os.link(self.input, self.path('hard'))
        os.symlink('in.h5', self.path('soft'))
        os.mkdir(self.path('folder'))
        before = content(self.input)
        paths = self.input, self.path('hard'), self.path('folder', '..', 'in.h5')
        self.refuse({path: ('is the input',) for path in paths})
        words = self.input, '-o', self.path('soft')
        check_refusals(self, [Refusal(OUTPUT_ERROR, (self.input, 'is the input'), words)])
        self.assertEqual(content(self.input), before)

    def test_other_files(self):
        stats, config = self.path('run.json'), self.path('run.yaml')
        with open(config, 'w') as f:
            f.write('causal: yes\n')
        out, nowhere = self.path('o.h5'), '/missing/s.json'
        check_refusals(self, [
            Refusal(ARGUMENT_ERROR, (self.input, 'input'), (self.input, '-o', out, '--stats', self.input)),
            Refusal(ARGUMENT_ERROR, (stats, 'output'), (self.input, '-o', stats, '--stats', stats)),
            Refusal(ARGUMENT_ERROR, (config, 'config'), (self.input, '-o', config, '--config', config)),
            Refusal(ARGUMENT_ERROR, (config, 'config'), (self.input, '-o', out, '--config', config, '--stats', config)),
            Refusal(ARGUMENT_ERROR, (stats, 'machine'), (self.input, '-o', out, '--machine', stats, '--stats', stats)),
            Refusal(ARGUMENT_ERROR, (out, 'machine'), (self.input, '-o', out, '--machine', out)),
            Refusal(OUTPUT_ERROR, (nowhere, 'statistics'), (self.input, '-o', out, '--stats', nowhere))])
        self.assertEqual(set(os.listdir(self.folder)) & {'o.h5', 'run.json'}, set())
        self.assertEqual(content(config), b'causal: yes\n')

    def test_no_right_to_write(self):
        how = unprivileged(self)
        folder, fixed = self.path('folder'), self.path('fixed.h5')
        os.mkdir(folder)
        os.chmod(folder, 0o555)
        write(fixed)
        os.chmod(fixed, 0o444)
        before = content(fixed)
        self.refuse({os.path.join(folder, 'o.h5'): ('Permission denied',), fixed: ('Permission denied',)}, how=how)
        self.assertEqual(os.listdir(folder), [])
        self.assertEqual(content(fixed), before)

    def test_sticky_folder(self):
        """Said before anything is computed: nobody may replace another's file there."""
        if os.geteuid():
            self.skipTest('no second user')
        how = unprivileged(self)
        folder = self.path('sticky')
        out, stats = os.path.join(folder, 'o.h5'), os.path.join(folder, 'run.json')
        os.mkdir(folder)
        for path in (out, stats):
            with open(path, 'wb'):
                os.chmod(path, 0o666)
        os.chmod(folder, 0o1777)
        self.refuse({out: ("another user's",)}, how=how)
        check_refusals(self, [Refusal(OUTPUT_ERROR, (stats, 'not permitted'),
                                      (self.input, '-o', os.path.join(folder, 'new.h5'), '--stats', stats))], how=how)
        self.assertEqual(sorted(os.listdir(folder)), ['o.h5', 'run.json'])

    def test_disk_full(self):
        path = write(self.path('long.h5'), tensors(q=(4096, 4, 8)))
        small, listing = self.path('small'), self.path('listing')
        os.mkdir(small)
        refusal = Refusal(RESOURCE_ERROR, (small, 'No space left'), ('attend', path, '-o', small + '/o.h5'))
        for ranks in (0, 2):
            with self.subTest(ranks=ranks):
                done = run_command(['unshare', '-rm', 'sh', '-c', IN_SMALL_FOLDER, 'sh', small, listing,
                                    *command(*refusal.words, ranks=ranks)], env={'TMPDIR': self.folder})
                if not os.path.exists(listing):
                    self.skipTest('no right to mount a small file system')
                self.check_refusal(refusal, done)
                self.assertEqual(content(listing), b'')

    def test_file_size_limit(self):
        """An error as on a full disk, and not the death by SIGXFSZ. MPI's own files need some 10 MB."""
        limit = 32 << 20
        path, out = self.long_input(), self.path('o.h5')

        def lower():
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        check_refusals(self, [Refusal(RESOURCE_ERROR, (out, 'File too large'), (path, '-o', out))],
                       how={'preexec_fn': lower})
        self.assertFalse([name for name in os.listdir(self.folder) if name.startswith('o.h5')])

    def test_one_rank_fails(self):
        """The last rank alone may not write its rows, which lie beyond its limit of 32 MiB."""
        path, out = self.long_input(), self.path('o.h5')
        limited = 'sh', '-c', '[ $OMPI_COMM_WORLD_RANK -lt 2 ] || ulimit -f 65536; exec "$@"', 'sh'
        done = run_command(command('attend', path, '-q', '-o', out, ranks=3, through=limited))
        self.check_refusal(Refusal(RESOURCE_ERROR, (out, "'o'", 'File too large'), ()), done)
        self.assertFalse([name for name in os.listdir(self.folder) if name.startswith('o.h5')])


if __name__ == '__main__':
    main()
