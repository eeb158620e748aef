#!/usr/bin/env python3
"""Files that attend must refuse: missing, unreadable and truncated ones, and storage that leads elsewhere."""
import os

import h5py

from program import KJV, Case, Refusal, check_refusals, main, tensors, unprivileged, write

INPUT_ERROR, RESOURCE_ERROR = 3, 5


def without(f, name):
    del f[name]
    return f


class Files(Case):
    def test_refused(self):
        """All at once, since each waits for mpirun."""
        check_refusals(self, [*self.no_file(), *self.truncated(), *self.links(), *self.linked_groups(),
                              *self.storage_elsewhere(), *self.filters(), *self.half_written()])

    def changed(self, files):
        """files: name -> (words of the message, change to an open good file)"""
        for name, (expected, change) in files.items():
            path = write(self.path(name + '.h5'))
            with h5py.File(path, 'r+') as f:
                change(f)
            yield Refusal(INPUT_ERROR, (path, *expected), (path,))

    def no_file(self):
        empty, text, loop = self.path('empty'), self.path('text'), self.path('loop')
        os.mknod(empty)
        with open(text, 'w') as f:
            f.write('q k v\n' * 1000)
        os.symlink(loop, loop)
        files = {self.path('missing.h5'): 'No such file', text + '/in.h5': 'Not a directory', loop: 'symbolic links',
                 self.folder: 'directory', '/dev/null': 'not a regular file', '/proc/self/mem': '', empty: 'empty',
                 text: 'not an HDF5 file'}
        return [*(Refusal(INPUT_ERROR, (path, word), (path,)) for path, word in files.items()),
                Refusal(INPUT_ERROR, ('line?break', 'No such file'), (self.path('line\nbreak'),))]

    def test_no_right_to_read(self):
        path = write(self.path('in.h5'))
        os.chmod(path, 0)
        check_refusals(self, [Refusal(INPUT_ERROR, (path, 'Permission denied'), (path,))], how=unprivileged(self))

    def truncated(self):
        with open(KJV, 'rb') as f:
            whole = f.read()
        lengths = (4, 8, 64, 96, 512, 2048, len(whole) // 2, len(whole) - 4096, len(whole) - 1)
        for length in lengths:
            path = self.path(f'{length}.h5')
            with open(path, 'wb') as f:
                f.write(whole[:length])
            yield Refusal(INPUT_ERROR, (path,), (path,))

    def links(self):
        other = write(self.path('other.h5'))
        return self.changed({
            'soft': (("'q'", 'soft link'), lambda f: without(f, 'q').__setitem__('q', h5py.SoftLink('/k'))),
            'loop': (("'q'", 'soft link'), lambda f: without(f, 'q').__setitem__('q', h5py.SoftLink('/q'))),
            'external': (("'q'", 'external link'),
                         lambda f: without(f, 'q').__setitem__('q', h5py.ExternalLink(other, '/q')))})

    def linked_groups(self):
        other = write(self.path('another.h5'))
        path = write(self.path('group.h5'))
        with h5py.File(path, 'r+') as f:
            f['g'] = h5py.SoftLink('/')
            f['h'] = h5py.ExternalLink(other, '/')
        return [Refusal(INPUT_ERROR, (path, "'g'", 'soft link'), (path, '--group=/g')),
                Refusal(INPUT_ERROR, (path, "'h'", 'external link'), (path, '--group=/h'))]

    def storage_elsewhere(self):
        source = write(self.path('source.h5'))

        def virtual(f):
            layout = h5py.VirtualLayout((24, 4, 8), 'f4')
            layout[...] = h5py.VirtualSource(source, 'q', (24, 4, 8))
            without(f, 'q').create_virtual_dataset('q', layout)
        return self.changed({
            'storage': (("'q'", 'external storage'),
                        lambda f: without(f, 'q').create_dataset('q', (24, 4, 8), 'f4', external=[(source, 0, 3072)])),
            'virtual': (("'q'", 'virtual'), virtual)})

    def filters(self):
        def packed(filters):
            def change(f):
                x = f.pop('q')[...]
                plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
                plist.set_chunk((8, 4, 8))
                filters(plist)
                space = h5py.h5s.create_simple(x.shape)
                h5py.h5d.create(f.id, b'q', h5py.h5t.IEEE_F32LE, space, plist).write(space, space, x)
            return change
        files = {'scaleoffset': lambda p: p.set_scaleoffset(h5py.h5z.SO_FLOAT_DSCALE, 2),
                 'nbit': lambda p: p.set_filter(h5py.h5z.FILTER_NBIT),
                 'lzf': lambda p: p.set_filter(h5py.h5z.FILTER_LZF, h5py.h5z.FLAG_OPTIONAL)}
        if h5py.h5z.filter_avail(h5py.h5z.FILTER_SZIP):
            files['szip'] = lambda p: p.set_szip(h5py.h5z.SZIP_NN_OPTION_MASK, 8)
        return self.changed({name: (("'q'", name), packed(filters)) for name, filters in files.items()})

    def half_written(self):
        def half(f):
            without(f, 'k').create_dataset('k', (40, 2, 8), 'f4', chunks=(8, 2, 8))[:16] = 1

        def bomb(f):
            without(f, 'k').create_dataset('k', (1 << 40, 2, 8), 'f4', chunks=(8, 2, 8), compression='gzip')[:8] = 1
        return self.changed({'half': (("'k'", '2 of its 5 chunks'), half), 'bomb': (("'k'", 'chunks'), bomb)})

    def test_too_little_memory(self):
        path = write(self.path('in.h5'), {'q': tensors()['q']})
        with h5py.File(path, 'r+') as f:  # files with holes
            plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            plist.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
            plist.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
            try:
                for name in (b'k', b'v'):
                    h5py.h5d.create(f.id, name, h5py.h5t.IEEE_F32LE, h5py.h5s.create_simple((1 << 36, 2, 8)), plist)
                f.flush()
            except (OSError, RuntimeError, ValueError) as error:
                self.skipTest(f'no file of 8 TiB with holes: {error}')
        check_refusals(self, [Refusal(RESOURCE_ERROR, (path, 'memory'), (path,))])


if __name__ == '__main__':
    main()
