#!/usr/bin/env python3
"""Datasets that attend must refuse: missing ones, wrong shapes and types, impossible sizes."""

import h5py
import numpy as np

from program import Case, Refusal, check_refusals, main, tensors, write

INPUT_ERROR = 3


class Data(Case):
    def test_refused(self):
        """All at once, since each waits for mpirun."""
        check_refusals(self, [*self.missing(), *self.shape(), *self.type(), *self.size(), *self.group()])

    def changed(self, files):
        """files: name -> (words of the message, change to an open good file)"""
        for name, (expected, change) in files.items():
            path = write(self.path(name + '.h5'))
            with h5py.File(path, 'r+') as f:
                change(f)
            yield Refusal(INPUT_ERROR, (path, *expected), (path,))

    def replaced(self, files):
        """files: name -> (words of the message, datasets that are not the good ones)"""
        for name, (expected, data) in files.items():
            path = write(self.path(name + '.h5'), {**tensors(), **data})
            yield Refusal(INPUT_ERROR, (path, *expected), (path,))

    def missing(self):
        def group(f):
            del f['k']
            f.create_group('k')
        return self.changed({**{f'no-{n}': ((f"no dataset '{n}'",), lambda f, n=n: f.pop(n)) for n in 'qkv'},
                             'group': (("dataset 'k'", 'group'), group)})

    def shape(self):
        shapes = {
            'flat': (("'q'", '2 dimensions'), {'q': (24, 32)}),
            'deep': (("'k'", '4 dimensions'), {'k': (40, 2, 8, 1)}),
            'scalar': (("'v'", '0 dimensions'), {'v': ()}),
            'lengths': (('k has 40', 'v has 39'), {'v': (39, 2, 6)}),
            'heads': (('k has 2 heads', 'v has 1'), {'v': (40, 1, 6)}),
            'multiple': (('q has 3 heads', '2 heads of k'), {'q': (24, 3, 8)}),
            'width': (('width 7', 'width 8'), {'q': (24, 4, 7)}),
            'wide': (("'q'", '513', '512'), {'q': (24, 4, 513), 'k': (40, 2, 513)}),
            'wide-v': (("'v'", '513', '512'), {'v': (40, 2, 513)}),
            'no-queries': (("'q'", 'is 0'), {'q': (0, 4, 8)}),
            'no-keys': (("'k'", 'is 0'), {'k': (0, 2, 8), 'v': (0, 2, 6)}),
            'no-heads': (("'q'", 'is 0'), {'q': (24, 0, 8)}),
            'no-width': (("'v'", 'is 0'), {'v': (40, 2, 0)})}
        return self.replaced({name: (expected, {n: np.ones(dims, 'f4') for n, dims in changed.items()})
                              for name, (expected, changed) in shapes.items()})

    def type(self):
        return self.replaced({
            'int32': (("'k'", 'int32'), {'k': np.ones((40, 2, 8), 'i4')}),
            'opaque': (("'k'", 'opaque, of 16 bits', 'uint16'), {'k': np.ones((40, 2, 8), 'V2')}),
            'uint16': (("'k'", 'bfloat16'), {'k': np.ones((40, 2, 8), 'u2')}),
            'compound': (("'k'", 'compound'), {'k': np.zeros((40, 2, 8), [('re', 'f4'), ('im', 'f4')])}),
            'string': (("'k'", 'string'), {'k': np.full((40, 2, 8), b'1.0', 'S3')}),
            'mixed': (('q is float32', 'k is float64'), {'k': np.ones((40, 2, 8), 'f8')})})

    def size(self):
        def declare(dims, **how):
            def change(f):
                del f['q']
                f.create_dataset('q', dims, 'f4', **how)
            return change
        return self.changed({
            'never-written': (("'q'", 'never written'), declare((24, 4, 8))),
            'huge': (("'q'", 'never written'), declare((1 << 40, 4, 8))),
            'huge-chunked': (("'q'", 'chunks'), declare((1 << 40, 4, 8), chunks=(1 << 10, 4, 8))),
            'product': (("'q'", '2^63'), declare((1 << 31, 1 << 31, 8))),
            'length': (("'q'", '2^63'), declare((1 << 62, 4, 8), chunks=(1 << 10, 4, 8)))})

    def group(self):
        path = write(self.path('in.h5'), group='/layer/3')
        return [Refusal(INPUT_ERROR, (path, "no dataset 'q'"), (path,)),
                Refusal(INPUT_ERROR, (path, "'4'"), (path, '--group', '/layer/4')),
                Refusal(INPUT_ERROR, (path, "'q'", 'not a group'), (path, '--group', '/layer/3/q'))]


if __name__ == '__main__':
    main()
