#!/usr/bin/env python3
"""Makes the golden inputs and their float64 answers: kjv1024.h5 from a longer file, cases/ from fixed seeds.

Usage: make_golden.py SMOLLM2_KJV_QKV.h5        needs numpy and h5py; writes beside this script, the same bytes each time

NAME.h5 holds q [q_len, q_heads, head_dim], k [kv_len, kv_heads, head_dim] and v [kv_len, kv_heads, value_dim]. NAME.ref.h5
holds o and lse in float64; where it also holds rows, o and lse are those of these queries only. A line of cases.txt is
'NAME tolerance flags of seqring attend'. README.md beside this script says what the cases are.
"""
import os
import sys
import zlib

import h5py
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))


def visible(positions, kv_len, causal, window):
    """[queries, keys]: which keys the queries at these positions see."""
    ahead = np.arange(kv_len)[None, :] - positions[:, None]
    seen = np.ones(ahead.shape, bool)
    if causal:
        seen &= ahead <= 0
    left, right = window
    if left >= 0:
        seen &= ahead >= -left
    if right >= 0:
        seen &= ahead <= right
    return seen


def attend_one(q, k, v, scale, seen):
    """o and lse of one query: q [D], k [n, D], v [n, Dv] in float64, seen [n]. Only seen keys enter any arithmetic."""
    k, v = k[seen], v[seen]
    if len(k) == 0:
        return np.zeros(v.shape[1]), -np.inf
    scores = k @ q * scale
    if np.isnan(scores).any():
        return np.full(v.shape[1], np.nan), np.nan
    top = scores.max()
    p = np.exp(scores - top)
    return (p[:, None] * v).sum(0) / p.sum(), top + np.log(p.sum())


def attend(q, k, v, *, rows=None, scale=None, causal=False, window=(-1, -1), q_start=None):
    """Exact attention by its definition, in float64. rows: the queries to compute, all by default."""
    q, k, v = (np.asarray(x, np.float64) for x in (q, k, v))
    q_len, q_heads, width = q.shape
    kv_len, kv_heads, value_dim = v.shape
    rows = np.arange(q_len) if rows is None else rows
    scale = 1 / np.sqrt(width) if scale is None else scale
    q_start = kv_len - q_len if q_start is None else q_start
    o, lse = np.zeros((len(rows), q_heads, value_dim)), np.zeros((len(rows), q_heads))
    for i, row in enumerate(rows):
        seen = visible(np.array([row + q_start]), kv_len, causal, window)[0]
        for h in range(q_heads):
            g = h // (q_heads // kv_heads)
            o[i, h], lse[i, h] = attend_one(q[row, h], k[:, g], v[:, g], scale, seen)
    return o, lse


def flags(causal=False, window=None, scale=None, q_start=None):
    words = ['--causal'] if causal else []
    words += [f'--window={window[0]},{window[1]}'] if window else []
    words += [f'--scale={scale!r}'] if scale is not None else []
    words += [f'--q-start={q_start}'] if q_start is not None else []
    return words


def to_bfloat16(x):
    """The upper 16 bits of float32, rounded to nearest even."""
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32)
    return ((bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) >> np.uint32(16)).astype(np.uint16)


def from_bfloat16(bits):
    return (bits.astype(np.uint32) << np.uint32(16)).view(np.float32)


def draw(name, shape, dtype, spread):
    """q, k and v with normal entries, in float64, each a value that dtype holds exactly."""
    q_len, kv_len, q_heads, kv_heads, width, value_dim = shape
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    tensors = [rng.standard_normal(s) for s in ((q_len, q_heads, width), (kv_len, kv_heads, width))]
    tensors = [x * spread for x in tensors] + [rng.standard_normal((kv_len, kv_heads, value_dim))]
    if dtype == 'bf16':
        return [from_bfloat16(to_bfloat16(x)).astype('f8') for x in tensors]
    return [x.astype(dtype).astype('f8') for x in tensors]


def write_input(path, tensors, dtype, storage):
    with h5py.File(path, 'w') as f:
        for name, x in zip('qkv', tensors):
            if dtype == 'bf16':
                f.create_dataset(name, data=to_bfloat16(x), **storage).attrs['dtype'] = 'bfloat16'
            else:
                f.create_dataset(name, data=x.astype(dtype), **storage)


def write_answers(path, o, lse, rows=None):
    with h5py.File(path, 'w') as f:
        if rows is not None:
            f['rows'] = rows
        f['o'], f['lse'] = o, lse


# A case: (q_len, kv_len, q_heads, kv_heads, head_dim, value_dim), element type, flags, and what else differs.
# spread multiplies q and k; spoil changes the tensors after they are drawn; storage goes to h5py; more flags change no answer.
F32_TOLERANCE, F64_TOLERANCE = 1.5e-6, 2e-14
BF16_PRODUCTS = dict(tolerance=2**-8, more=['--products=bfloat16'])


def case(name, shape, dtype='f4', tolerance=None, spread=1.0, spoil=None, storage=None, more=(), **mask):
    tolerance = tolerance or (F64_TOLERANCE if dtype == 'f8' else F32_TOLERANCE)
    return dict(name=name, shape=shape, dtype=dtype, tolerance=tolerance, spread=spread, spoil=spoil,
                storage=storage or {}, more=more, mask=mask)


def nan_key(q, k, v):
    k[len(k) * 3 // 4, 0, 1] = np.nan


def nan_value(q, k, v):
    v[len(v) // 3, 0, 2] = np.nan


def nan_query(q, k, v):
    q[len(q) // 2, 1, 0] = np.nan


def nan_unseen(q, k, v):
    """Keys after the last query's position, and before the first query's window."""
    k[-3:, :, :] = np.nan
    v[-2:, :, :] = np.inf
    v[:2, :, :] = np.nan


def inf_value(q, k, v):
    v[len(v) // 2, 0, 1] = np.inf
    v[len(v) // 4, 0, 3] = -np.inf
    v[len(v) // 2, 0, 3] = np.inf


def equal_keys(q, k, v):
    k[:] = k[:1]


CASES = [
    case('one_token', (1, 1, 1, 1, 1, 1)),
    case('tiny', (5, 5, 1, 1, 16, 16), causal=True),
    case('plain', (30, 30, 2, 2, 8, 8)),
    case('odd', (37, 37, 3, 3, 5, 5), causal=True),
    case('gqa', (30, 30, 6, 2, 5, 5), causal=True),
    case('mqa', (23, 23, 5, 1, 4, 4), causal=True),
    case('cross', (20, 150, 2, 1, 4, 4)),
    case('cross_causal', (20, 150, 2, 2, 4, 4), causal=True),
    case('q_longer', (60, 20, 2, 2, 4, 4), causal=True),
    case('start_0', (30, 90, 2, 2, 4, 4), causal=True, q_start=0),
    case('start_middle', (30, 90, 2, 2, 4, 4), causal=True, q_start=25),
    case('start_before', (30, 40, 1, 1, 8, 8), causal=True, q_start=-12),
    case('start_after', (12, 40, 1, 1, 8, 8), causal=True, q_start=1000),
    case('window_left', (130, 130, 1, 1, 4, 4), causal=True, window=(17, 0)),
    case('window_self', (40, 40, 1, 1, 4, 4), window=(0, 0)),
    case('window_both', (130, 130, 2, 1, 4, 4), window=(9, 5)),
    case('window_open_left', (40, 40, 1, 1, 4, 4), window=(-1, 4)),
    case('window_open_right', (40, 40, 1, 1, 4, 4), window=(4, -1)),
    case('window_causal_wins', (40, 40, 1, 1, 4, 4), causal=True, window=(11, 6)),
    case('window_far', (40, 40, 1, 1, 4, 4), window=(1 << 40, 1 << 40)),
    case('window_sees_none', (20, 20, 2, 1, 8, 8), window=(3, 2), q_start=40),
    case('window_sees_some', (40, 20, 1, 1, 8, 8), window=(4, 0), q_start=5),
    case('scale', (30, 30, 1, 1, 8, 8), scale=0.03),
    case('scale_0', (40, 40, 1, 1, 8, 8), causal=True, scale=0.0),
    case('scale_negative', (40, 40, 1, 1, 8, 8), scale=-0.7),
    case('value_wider', (30, 30, 2, 2, 4, 11), causal=True),
    case('value_narrower', (25, 25, 2, 1, 24, 3)),
    case('head_dim_1', (45, 45, 2, 1, 1, 1), causal=True),
    case('head_dim_512', (2, 3, 1, 1, 512, 512)),
    case('decode', (1, 200, 4, 2, 4, 4), causal=True),
    case('f16', (40, 40, 2, 1, 5, 5), 'f2', causal=True),
    case('bf16', (40, 40, 2, 1, 5, 5), 'bf16', causal=True),
    case('bf16_products', (40, 90, 4, 2, 9, 7), 'bf16', causal=True, **BF16_PRODUCTS),
    case('f64', (40, 40, 2, 1, 5, 5), 'f8', causal=True),
    case('f64_window', (40, 60, 2, 2, 4, 3), 'f8', window=(15, 3)),
    case('big_endian', (30, 30, 1, 1, 8, 8), '>f4', causal=True),
    case('compressed', (150, 150, 1, 1, 4, 4), causal=True,
         storage=dict(chunks=(64, 1, 4), compression='gzip', shuffle=True, fletcher32=True)),
    case('huge_scores', (40, 40, 1, 1, 8, 8), spread=60.0, tolerance=5e-3, causal=True),
    case('equal_keys', (40, 40, 1, 1, 8, 8), spoil=equal_keys),
    case('nan_key', (40, 40, 2, 2, 4, 4), causal=True, spoil=nan_key),
    case('nan_value', (40, 40, 2, 2, 4, 4), causal=True, spoil=nan_value),
    case('nan_query', (40, 40, 2, 2, 4, 4), causal=True, spoil=nan_query),
    case('nan_unseen', (30, 40, 2, 2, 4, 4), causal=True, window=(3, 0), q_start=7, spoil=nan_unseen),
    case('nan_f64', (30, 30, 2, 2, 4, 4), 'f8', causal=True, spoil=nan_value),
    case('inf_value', (40, 40, 1, 1, 4, 4), causal=True, spoil=inf_value),
    # Keys are cut at multiples of 1,024: only these make several ranks hold keys.
    case('ring', (40, 7300, 2, 1, 2, 1), 'f2'),
    case('ring_causal', (4300, 4300, 1, 1, 1, 1), 'f2', causal=True),
    case('ring_border', (2048, 2048, 1, 1, 1, 1), 'f2', causal=True),
    case('ring_window', (2300, 2300, 1, 1, 1, 1), 'f2', window=(1300, 40)),
    case('ring_bf16', (30, 4200, 2, 1, 2, 1), 'bf16', causal=True),
    case('ring_bf16_products', (30, 3300, 2, 1, 3, 1), 'bf16', causal=True, **BF16_PRODUCTS),
    case('ring_f64', (20, 3200, 1, 1, 1, 1), 'f8', causal=True),
    case('ring_decode', (1, 5000, 2, 1, 2, 1), 'f2', causal=True),
    case('ring_nan', (20, 4200, 1, 1, 2, 3), 'f2', causal=True, q_start=3140, spoil=nan_key),
]


def make_case(c):
    tensors = draw(c['name'], c['shape'], c['dtype'].lstrip('>'), c['spread'])
    if c['spoil']:
        c['spoil'](*tensors)
    mask = {key: value for key, value in c['mask'].items() if value is not None}
    with np.errstate(invalid='ignore'):
        o, lse = attend(*tensors, **mask)
    write_input(f"{HERE}/cases/{c['name']}.h5", tensors, c['dtype'], c['storage'])
    write_answers(f"{HERE}/cases/{c['name']}.ref.h5", o, lse)
    return ' '.join([c['name'], f"{c['tolerance']:g}", *flags(**mask), *c['more']])


def cut_real(source):
    """kjv1024: the first 1,024 tokens of the real q, k and v, with answers for every 61st query and the last one."""
    tokens = 1024
    with h5py.File(source) as f, h5py.File(f'{HERE}/kjv1024.h5', 'w') as out:
        tensors = [f[name][:tokens] for name in 'qkv']
        for name, x in zip('qkv', tensors):
            out[name] = x
        for name in ('model', 'layer', 'layout', 'source', 'license'):
            out.attrs[name] = f.attrs[name]
        out.attrs['cut'] = f'tokens 0 to {tokens - 1}'
    rows = np.append(np.arange(0, tokens, 61), tokens - 1)
    write_answers(f'{HERE}/kjv1024.ref.h5', *attend(*tensors, rows=rows, causal=True), rows)


if __name__ == '__main__':
    if len(sys.argv) != 2:
        sys.exit(__doc__.strip())
    cut_real(sys.argv[1])
    with open(f'{HERE}/cases/cases.txt', 'w') as listing:
        listing.writelines(make_case(c) + '\n' for c in CASES)
