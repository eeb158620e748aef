#!/usr/bin/env python3
"""Limits on memory, of control groups that a mount namespace makes up."""
import os

import gguf
from program import KJV, PROGRAM, Case, main, run, run_command

LIMIT = 8 << 30
RESOURCE_ERROR = 5
# Files in place of those of the kernel, then a command.
MADE_UP = 'mount -t tmpfs none /sys/fs/cgroup && cp -r "$0"/. /sys/fs/cgroup/ && exec "$@"'


class Limits(Case):
    def under(self, cached, *words):
        """A run where all but 64 KiB of LIMIT are in use, by cached files as far as said, in either version's words."""
        for folder, limit, used, prefix in (('', 'memory.max', 'memory.current', ''),
                                            ('memory', 'memory.limit_in_bytes', 'memory.usage_in_bytes', 'total_')):
            os.makedirs(self.path('group', folder), exist_ok=True)
            for name, value in ((limit, LIMIT), (used, LIMIT - (64 << 10)),
                                ('memory.stat', f'anon 1\n{prefix}inactive_file {cached // 2}\n{prefix}active_file {cached // 2}')):
                with open(self.path('group', folder, name), 'w') as f:
                    f.write(f'{value}\n')
        start = 'unshare', '--mount', 'sh', '-c', MADE_UP, self.path('group')
        with open('/proc/self/cgroup') as f:
            limited = any(line.startswith('0::') or 'memory' in line for line in f)
        try:
            possible = limited and os.geteuid() == 0 and run_command([*start, 'true']).status == 0
        except FileNotFoundError:
            possible = False
        if not possible:
            self.skipTest('no mount namespace can be had, or no control group')
        return run_command([*start, PROGRAM, *words])

    def test_cached_files(self):
        """Cached files give way: memory that they take is there."""
        done = self.under(1 << 20, 'attend', KJV, '-o', self.path('o.h5'))
        self.assertEqual((done.status, len(done.said)), (RESOURCE_ERROR, 1), done.said)
        self.assertIn('too little memory', done.said[0])
        self.assertFalse(os.path.exists(self.path('o.h5')))
        done = self.under(128 << 20, 'attend', KJV, '-o', self.path('o.h5'))
        self.assertEqual((done.status, done.said), (0, []))

    def test_dry_run(self):
        """Where a job would be refused, a dry run tells what it takes."""
        source = gguf.write(self.path('model.gguf'), arrays=gguf.quiet_tensors())
        self.assertEqual(run('import', source, '-q', '-o', self.path('model.h5')).status, 0)
        with open(self.path('text'), 'w') as f:
            f.write('the an7 the, ' * 30)
        words = 'run', '--model', self.path('model.h5'), '--text', self.path('text'), '-o', self.path('o.h5')
        self.assertEqual(self.under(4096, *words).status, RESOURCE_ERROR)
        for dry in (*words, '--dry-run'), ('attend', KJV, '--dry-run'):
            done = self.under(4096, *dry)
            self.assertEqual((done.status, done.said), (0, []))
            self.assertIn('memory', done.out)


if __name__ == '__main__':
    main()
