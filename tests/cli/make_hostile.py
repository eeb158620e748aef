#!/usr/bin/env python3
"""Makes malformed and unwelcome attention inputs, each of which must be a clear error or be read correctly.

Usage: make_hostile.py DIR [--flips N]

bad-*.h5   must be refused; the name says what is wrong
good-*.h5  must be read: every one holds q, k and v of tensors() (float16 ones rounded)
cut-*.h5   a good file cut short: must be refused
group-link.h5  refused with --group=/g, which is a soft link
flip-*.h5  good files with one bit flipped in their first 4 KiB: refused, or read; never a crash or a hang

Needs numpy and h5py. The same files come out every time.
"""
import os
import random
import struct
import sys

import h5py
import numpy as np

KINDS = {'f4': np.float32, 'f8': np.float64, 'f2': np.float16}


def tensors(q=(24, 4, 8), k=(40, 2, 8), v=(40, 2, 6)):
    rng = np.random.default_rng(7)
    return {n: rng.standard_normal(s).astype(np.float32) for n, s in (('q', q), ('k', k), ('v', v))}


def write(path, data=None, userblock=0, group='/', only='qkv', libver=None, **how):
    with h5py.File(path, 'w', userblock_size=userblock, libver=libver) as f:
        g = f.require_group(group)
        for name, x in (data or tensors()).items():
            if name in only:
                g.create_dataset(name, data=x, **how)


def edit(path, change):
    write(path)
    with h5py.File(path, 'r+') as f:
        change(f)


def bfloat16(x):
    return (x.view(np.uint32) >> 16).astype(np.uint16)


def good_files(at):
    write(at('good-contiguous'))
    write(at('good-latest'), libver='latest')
    write(at('good-userblock'), userblock=1024)
    write(at('good-group'), group='/a/b')
    write(at('good-chunked'), chunks=(7, 2, 3))
    write(at('good-deflate'), chunks=(7, 2, 3), compression='gzip', shuffle=True, fletcher32=True)
    write(at('good-latest-deflate'), libver='latest', chunks=(7, 2, 3), compression='gzip')
    write(at('good-unlimited'), chunks=(64, 2, 3), maxshape=(None, None, None))
    write(at('good-bigendian'), {n: x.astype('>f4') for n, x in tensors().items()})
    write(at('good-bigendian-half-deflate'), {n: x.astype('>f2') for n, x in tensors().items()}, compression='gzip')
    for kind, as_type in KINDS.items():
        write(at('good-' + kind), {n: x.astype(as_type) for n, x in tensors().items()})
    for name, order in (('good-bfloat16', '<u2'), ('good-bfloat16-big', '>u2')):
        write(at(name), {n: bfloat16(x).astype(order) for n, x in tensors().items()})
        with h5py.File(at(name), 'r+') as f:
            for n in 'qkv':
                f[n].attrs['dtype'] = 'bfloat16' if order == '<u2' else np.bytes_('bfloat16')
    with h5py.File(at('good-compact'), 'w') as f:
        for n, x in tensors().items():
            plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            plist.set_layout(h5py.h5d.COMPACT)
            space = h5py.h5s.create_simple(x.shape)
            h5py.h5d.create(f.id, n.encode(), h5py.h5t.IEEE_F32LE, space, plist).write(space, space, x)
    with h5py.File(at('good-named-type'), 'w') as f:
        f['t'] = np.dtype('<f4')
        for n, x in tensors().items():
            f.create_dataset(n, data=x, dtype=f['t'])


def bad_shapes(at):
    t = tensors()
    for name, shapes in {
            'rank-2': {'q': (24, 32)}, 'rank-4': {'k': (40, 2, 8, 1)}, 'rank-0': {'v': ()},
            'width': {'q': (24, 4, 7)}, 'length': {'v': (39, 2, 6)}, 'heads': {'v': (40, 1, 6)},
            'multiple': {'q': (24, 3, 8)}, 'zero-q': {'q': (0, 4, 8)}, 'zero-heads': {'q': (24, 0, 8)},
            'zero-width': {'v': (40, 2, 0)}, 'too-wide': {'v': (40, 2, 513)}}.items():
        write(at('bad-' + name), {n: np.ones(shapes.get(n, t[n].shape), np.float32) for n in 'qkv'})
    for name, dims in {'huge': (1 << 40, 4, 8), 'overflow': (1 << 62, 4, 8), 'past-63': (1 << 31, 1 << 31, 8),
                       'unwritten': (24, 4, 8)}.items():
        def declare(f, dims=dims):
            del f['q']
            f.create_dataset('q', dims, 'f4', chunks=(1 << 10, 4, 8) if name == 'huge' else None)
        try:
            edit(at('bad-' + name), declare)
        except (ValueError, OSError):  # HDF5 itself refuses to declare it
            os.unlink(at('bad-' + name))
    edit(at('bad-null'), lambda f: (f.__delitem__('q'), f.create_dataset('q', dtype='f4', data=h5py.Empty('f4'))))


def bad_types(at):
    t = tensors()
    for name, kind in {'int32': 'i4', 'uint16': 'u2', 'complex': 'c8', 'text': 'S4', 'bool': '?', 'opaque': 'V2'}.items():
        write(at('bad-type-' + name), {**t, 'k': np.ones(t['k'].shape, kind)})
    write(at('bad-mixed'), {**t, 'k': t['k'].astype('f8')})
    strange = h5py.h5t.IEEE_F32LE.copy()
    strange.set_ebias(63)
    edit(at('bad-type-bias'), lambda f: (f.__delitem__('v'), h5py.h5d.create(
        f.id, b'v', strange, h5py.h5s.create_simple((40, 2, 6)))))
    write(at('bad-other-bfloat16'), {n: bfloat16(x) for n, x in t.items()})
    with h5py.File(at('bad-other-bfloat16'), 'r+') as f:
        for n in 'qkv':
            f[n].attrs['dtype'] = 'posit16'


def bad_storage(at):
    for name in 'qkv':
        write(at('bad-no-' + name), only='qkv'.replace(name, ''))
    write(at('bad-filter-lzf'), chunks=(7, 2, 3), compression='lzf')
    write(at('bad-filter-scaleoffset'), chunks=(7, 2, 3), scaleoffset=2)
    edit(at('bad-q-is-group'), lambda f: (f.__delitem__('q'), f.create_group('q')))
    edit(at('bad-soft'), lambda f: (f.move('q', 'p'), f.__setitem__('q', h5py.SoftLink('/p'))))
    edit(at('bad-soft-loop'), lambda f: (f.__delitem__('q'), f.__setitem__('q', h5py.SoftLink('/q'))))
    edit(at('bad-external-link'),
         lambda f: (f.__delitem__('q'), f.__setitem__('q', h5py.ExternalLink('good-contiguous.h5', '/q'))))
    with h5py.File(at('bad-external-storage'), 'w') as f:
        for n, x in tensors().items():
            f.create_dataset(n, x.shape, 'f4', external=[('/etc/passwd', 0, x.nbytes)] if n == 'k' else None)
            if n != 'k':
                f[n][...] = x
    layout = h5py.VirtualLayout((24, 4, 8), 'f4')
    layout[...] = h5py.VirtualSource('good-contiguous.h5', 'q', (24, 4, 8))
    edit(at('bad-virtual'), lambda f: (f.__delitem__('q'), f.create_virtual_dataset('q', layout)))
    with h5py.File(at('bad-hole'), 'w') as f:
        for n, x in tensors().items():
            f.create_dataset(n, x.shape, 'f4', chunks=(7, 2, 3))[:10] = x[:10]
    with h5py.File(at('bad-bomb'), 'w') as f:  # one written chunk of a terabyte's worth
        for n, x in tensors().items():
            rest = x.shape[1:]
            f.create_dataset(n, (1 << 32, *rest), 'f4', chunks=(1 << 14, *rest), compression='gzip')[0] = 0
    edit(at('group-link'), lambda f: f.__setitem__('g', h5py.SoftLink('/')))  # for --group=/g


def bad_bytes(at):
    for name, data in {'empty': b'', 'text': b'q k v\n' * 100, 'signature': b'\x89HDF\r\n\x1a\n',
                       'superblock': b'\x89HDF\r\n\x1a\n' + b'\xff' * 2000, 'zeros': bytes(4096)}.items():
        open(at('bad-bytes-' + name), 'wb').write(data)
    whole = open(at('good-contiguous'), 'rb').read()
    dims = struct.pack('<3Q', 24, 4, 8)  # q is said to be longer than it is
    open(at('bad-longer'), 'wb').write(whole.replace(dims, struct.pack('<3Q', 24 << 20, 4, 8)))


def damaged(at, flips):
    rng = random.Random(11)
    for name in ('good-contiguous', 'good-deflate', 'good-latest'):
        whole = open(at(name), 'rb').read()
        for length in sorted({len(whole) * i // 24 for i in range(1, 24)} | {len(whole) - 1, 7, 8, 96, 512, 2048}):
            open(at(f'cut-{name[5:]}-{length}'), 'wb').write(whole[:length])
        for i in range(flips):
            byte, bit = rng.randrange(min(4096, len(whole))), rng.randrange(8)
            changed = bytearray(whole)
            changed[byte] ^= 1 << bit
            open(at(f'flip-{name[5:]}-{i}-{byte}-{bit}'), 'wb').write(changed)


def main():
    folder, flips = sys.argv[1], int(sys.argv[3]) if sys.argv[2:3] == ['--flips'] else 100
    os.makedirs(folder, exist_ok=True)
    at = lambda name: os.path.join(folder, name + '.h5')
    for make in (good_files, bad_shapes, bad_types, bad_storage, bad_bytes):
        make(at)
    damaged(at, flips)


if __name__ == '__main__':
    main()
