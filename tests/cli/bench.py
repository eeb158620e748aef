#!/usr/bin/env python3
"""seqring bench: the lines, their figures, and what is refused. No speed is tested."""
import csv
import io
import json
import os
import platform

from program import Case, Refusal, command, main, run, run_command

ARGUMENT_ERROR, RESOURCE_ERROR, WRONG = 2, 5, 7
QUICK = '--repeat', 1, '--warmup', 0, '--threads', 1
FIGURES = 'seconds', 'peak_gflops', 'gemm_gflops', 'of_peak', 'of_gemm'
DECODE_FIGURES = 'read_gb_per_s', 'of_read'


# Of o, relative to max(1, |o|); bfloat16's weights are rounded to 8 bits, and values are below 4.
LARGEST_ERROR = {'f16': 1e-5, 'f32': 1e-5, 'f64': 1e-14, 'bf16': 2**-6}


class Bench(Case):
    def bench(self, *words, **how):
        done = run('bench', 'attention', *QUICK, *words, **how)
        self.assertEqual((done.status, done.said), (0, []))
        return done.out

    def refuse(self, *words, said, status=ARGUMENT_ERROR, command=('bench', 'attention'), **how):
        with self.subTest(words=words):
            done = run(*command, *words, **how)
            self.check_refusal(Refusal(status, said, ()), done)

    def check_line(self, line):
        for key in (*FIGURES, *(DECODE_FIGURES if line['queries'] <= 16 else ())):
            figure = line[key]
            self.assertLess(0, figure['min'])
            self.assertLessEqual(figure['min'], figure['median'])
            self.assertLessEqual(figure['median'], figure['max'])
        self.assertAlmostEqual(line['gflops'] * line['seconds']['median'] * 1e9 / line['flops'], 1)
        fastest = line['flops'] / line['seconds']['min'] * 1e-9
        for ratio, rate in ('of_peak', 'peak_gflops'), ('of_gemm', 'gemm_gflops'):
            self.assertLessEqual(line[ratio]['max'], fastest / line[rate]['min'] * (1 + 1e-6))
        self.assertFalse(line['verify']['wrong'])
        self.assertLess(line['verify']['of_rounding'], 1)
        self.assertLess(line['verify']['o_error'], LARGEST_ERROR[line['dtype']])

    def check_lines(self, lines):
        """96 keys; one query, then 96; causal, then with a window of 40."""
        self.assertEqual([(line['queries'], line['keys'], line['mask']) for line in lines],
                         [(1, 96, 'causal'), (1, 96, 'window:40'), (96, 96, 'causal'), (96, 96, 'window:40')])
        for line in lines:
            self.assertEqual([line[key] for key in ('dtype', 'compute', 'q_heads', 'kv_heads', 'head_dim', 'value_dim',
                                                    'threads')], ['bf16', 'bfloat16', 4, 2, 16, 8, 1])
            self.check_line(line)
        self.assertEqual([line['flops'] for line in lines[:3]], [n * 4 * 2 * (16 + 8) for n in (96, 41, 96 * 97 // 2)])
        self.assertEqual([line['kv_bytes'] for line in lines], [n * 2 * (16 + 8) * 2 for n in (96, 41)] + [None] * 2)

    def test_json(self):
        words = ('--seq', '96', '--queries', '1,all', '--heads', '4:2', '--dim', '16:8', '--mask', 'causal,window:40',
                 '--dtype', 'bf16')
        for ranks in 0, 2:
            found = json.loads(self.bench('--json', *words, ranks=ranks))
            self.assertEqual(found['machine']['ranks'], ranks or 1)
            self.assertTrue(found['machine']['processor'] and found['machine']['gemm']['core'])
            self.check_lines(found['lines'])

    def test_gemm_kernels(self):
        """OpenBLAS's kernels are those that the user names, else not its oldest, even where it does not know the processor."""
        if platform.machine() != 'x86_64':
            self.skipTest('the kernels named are for x86-64')
        words = '--json', '--seq', 64, '--mask', 'full', '--heads', 1
        found = json.loads(self.bench(*words, env={'OPENBLAS_CORETYPE': 'Prescott'}))
        self.assertEqual(found['machine']['gemm']['core'], 'Prescott')
        found = json.loads(self.bench(*words))
        if found['machine']['isa'] != 'portable':
            self.assertNotEqual(found['machine']['gemm']['core'], 'Prescott')

    def test_rounds(self):
        done = run('bench', 'attention', '--json', '--repeat', 3, '--warmup', 1, '--seq', 64, '--mask', 'full')
        self.assertEqual((done.status, done.said), (0, []))
        line, = json.loads(done.out)['lines']
        self.check_line(line)
        self.assertLess(line['seconds']['min'], line['seconds']['max'])

    def test_types(self):
        lines = json.loads(self.bench('--json', '--seq', 64, '--mask', 'full', '--dtype', 'f16,f64'))['lines']
        self.assertEqual([line['compute'] for line in lines], ['float32', 'float64'])
        for line in lines:
            self.check_line(line)

    def test_csv(self):
        text = self.bench('--csv', '--seq', '20', '--mask', 'full', '--queries', '8,all')
        lines = list(csv.DictReader(io.StringIO(text)))
        self.assertEqual([(line['queries'], line['keys']) for line in lines], [('8', '20'), ('20', '20')])
        for line in lines:
            self.assertNotIn(None, (*line, *line.values()))
            for key in FIGURES:
                self.assertLess(0, float(line[f'{key}_min']))
                self.assertLessEqual(float(line[f'{key}_min']), float(line[f'{key}_median']))
                self.assertLessEqual(float(line[f'{key}_median']), float(line[f'{key}_max']))
            self.assertEqual(line['wrong'], '0')
            self.assertLess(float(line['o_error']), 1e-5)
            self.assertEqual(line['of_read_min'] != '', line['queries'] == '8')

    def test_table(self):
        for ranks in 0, 2:
            head, table = self.bench('--seq', '1k,20', '--queries', '1', ranks=ranks).split('\n\n')
            for words in ('processor', 'kernels', 'OpenBLAS', f'ranks           {ranks or 1}\n', 'float64'):
                self.assertIn(words, head)
            lines = table.splitlines()
            self.assertEqual(len(lines), 1 + 2 * 2)
            self.assertEqual(lines[0].split()[:6], ['dtype', 'heads', 'dim', 'queries', 'keys', 'mask'])
            self.assertEqual([line.split()[:6] for line in lines[1:]],
                             [['f32', '8', '64', '1', keys, mask] for keys in ('1024', '20') for mask in ('full', 'causal')])
            self.assertEqual(len({len(line) for line in lines}), 1)

    def test_refused(self):
        for option, items in {'--seq': ('', '4x', '0', '-1', '1.5k', 'all'), '--queries': ('none',), '--heads': ('8:3', '8:'),
                              '--dim': ('513', '64:x'), '--mask': ('windw:3', 'window:'), '--dtype': ('f8',),
                              '--threads': ('0', 'x')}.items():
            for item in items:
                self.refuse(f'{option}={item}', said=(f'{option}: ', f"'{item}'"))
        self.refuse('--seq', '1k,2k,,4k', said=('--seq: ', "''"))
        self.refuse('--seq', '1k,2q,4k', said=('--seq: ', "'2q'"))
        for option in '--repeat', '--verify':
            self.refuse(option, '0', said=(f'{option}: ', "'0'"))
        self.refuse('--json', '--csv', said=('--json', '--csv'))
        self.refuse('--causal', said=("'--causal'",))
        self.refuse(said=('bench attention',), command=('bench',))
        self.refuse(said=("'gemm'", 'attention'), command=('bench', 'gemm'))
        self.refuse('--seq', '1k,x', said=("'x'",), ranks=2)
        self.refuse(said=('SEQRING_ISA',), env={'SEQRING_ISA': 'mmx'})

    def test_impossible_case(self):
        """Refused before any case is measured."""
        for words, ranks in (('--seq=64', '--strategy=ring,decode'), 0), (('--seq=64', '--strategy=ring,hybrid:2x2'), 2), (('--seq=64,8', '--strategy=ring'), 0):
            done = run('bench', 'attention', *QUICK, *words, ranks=ranks)
            self.check_refusal(Refusal(ARGUMENT_ERROR, ('strategy' if ranks == 0 else 'hybrid:2x2',), ()), done)
            self.assertEqual(done.out, '')

    def test_too_large(self):
        for ranks in 0, 2:
            self.refuse('--seq', '64M', '--queries', '1', '--heads', '1k', *QUICK, said=('memory', '67108864 keys'),
                        status=RESOURCE_ERROR, ranks=ranks)

    def test_full_disk(self):
        """The JSON is longer than what stdio keeps."""
        words = 'bench', 'attention', *QUICK, '--seq', 64, '--dim', '16,16,16,16', '--json'
        done = run_command(command(*words, through=('sh', '-c', 'exec "$@" > /dev/full', 'sh')))
        self.assertEqual((done.status, len(done.said)), (1, 1))
        self.assertIn('No space left on device', done.said[0])

    def test_wrong(self):
        """Wrong lines are marked, the others measured, and the status tells."""
        library = os.environ.get('SPOILED_FORWARD')
        if not library:
            self.skipTest('sanitizers have to be the first library')
        words = 'bench', 'attention', *QUICK, '--seq', '64', '--mask', 'full,causal'
        done = run(*words, env={'LD_PRELOAD': library})
        self.assertEqual((done.status, len(done.said)), (WRONG, 1))
        self.assertIn('1 of 2', done.said[0])
        self.assertEqual([line.endswith('  WRONG') for line in done.out.splitlines()[-2:]], [False, True])
        done = run(*words, '--json', env={'LD_PRELOAD': library})
        self.assertEqual([line['verify']['wrong'] for line in json.loads(done.out)['lines']], [False, True])


if __name__ == '__main__':
    main()
