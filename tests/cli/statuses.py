#!/usr/bin/env python3
"""The exit status of every rank, which mpirun hides: a failure on one is the same failure on all."""
import os

import numpy as np

from program import KJV, Case, command, main, run_command, tensors, write

RANKS = 3
# Keeps a rank's exit status in the folder $0, and ends well, so that mpirun leaves the others in peace.
KEEP_STATUS = '"$@"; echo $? > "$0/$OMPI_COMM_WORLD_RANK"'


class Statuses(Case):
    def check(self, status, *words):
        with self.subTest(words=words):
            kept = 'sh', '-c', KEEP_STATUS, self.path('kept')
            done = run_command(command('attend', *words, ranks=RANKS, through=kept))
            self.assertEqual((done.status, len(done.said)), (0, 1 if status else 0), done.said)
            for rank in range(RANKS):
                with open(self.path('kept', str(rank))) as f:
                    self.assertEqual(int(f.read()), status)
                os.remove(self.path('kept', str(rank)))

    def test_statuses(self):
        os.mkdir(self.path('kept'))
        data = tensors()
        data['v'][5] = np.nan
        bad, out = write(self.path('nan.h5'), data), self.path('o.h5')
        with open(self.path('bad.yaml'), 'w') as f:
            f.write('windw: 3\n')
        self.check(0, KJV, '-q', '-o', out)
        self.check(0, KJV, '-q', '--dry-run')
        self.check(2, KJV, '-o', out, '--windw')
        self.check(2, KJV)
        self.check(2, KJV, '-o', out, '--config', self.path('bad.yaml'))
        self.check(2, KJV, '-o', out, '--scale=x')
        self.check(3, self.path('missing.h5'), '-o', out)
        self.check(4, KJV, '-o', self.path('missing', 'o.h5'))
        self.check(4, KJV, '-o', out, '--stats', self.path('missing', 's.json'))
        self.check(6, bad, '-o', out, '--nan=error')


if __name__ == '__main__':
    main()
