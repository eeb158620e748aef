#!/usr/bin/env python3
"""What the program tells: help, manual page, versions, dry runs, statistics, provenance, info."""
import json
import os
import re

import h5py

from program import KJV, MPIRUN, PROGRAM, Case, Refusal, check_refusals, command, main, run, run_command, write

COMMANDS = ('attend', 'info', 'bench', 'help', 'version')
SPREADS = ('read_s', 'attention_s', 'wait_s', 'write_s', 'bytes_sent_a_rank', 'peak_memory_a_rank', 'queries_a_rank',
           'planned_memory_a_rank')


def named_options(text):
    return set(re.findall(r'(?<![\w-])--([a-z]+(?:-[a-z]+)*)\b', text))


class Words(Case):
    def said(self, *words, **how):
        done = run(*words, **how)
        self.assertEqual((done.status, done.said), (0, []))
        return done.out

    def test_help(self):
        text = self.said('help')
        for command in COMMANDS:
            self.assertIn(f'\n  {command} ', text)
        self.assertEqual(text, self.said('--help'))
        self.assertEqual(text, self.said('-h'))
        for command in COMMANDS:
            page = self.said('help', command)
            self.assertEqual(page, self.said(command, '--help'))
            self.assertLess(max(map(len, page.splitlines())), 82)
        self.assertEqual(self.said('help', ranks=2), text)

    def test_every_option(self):
        """The options that a person was promised are in the help, and those of the help in the manual page."""
        text = self.said('attend', '--help')
        promised = {'output', 'group', 'causal', 'window', 'q-start', 'scale', 'out-dtype', 'nan', 'products', 'strategy',
                    'balance', 'machine', 'overlap', 'piece', 'threads', 'verify', 'dry-run', 'stats', 'config', 'quiet', 'help', 'version'}
        found = named_options(text)
        self.assertEqual(promised - found, set())
        page = re.sub(r'\\f[BIR]', '|', self.said('help', '--man').replace('\\-', '-'))
        self.assertEqual(found - named_options(page), set())
        for status in range(8):
            self.assertRegex(text, rf'(?m)^  {status}  \w')
            self.assertIn(f'\n|{status}|\n', page)

    def test_version(self):
        text = self.said('version')
        for name in ('seqring', 'hdf5', 'mpi', 'compiler', 'kernels', 'licence'):
            self.assertRegex(text, rf'(?m)^{name} +\S')
        for words in (('--version',), ('-V',), ('attend', '--version'), ('info', '-V')):
            self.assertEqual(self.said(*words), text)
        self.assertEqual(self.said('version', ranks=2), text)

    def test_terminal_gone(self):
        with open('/dev/full', 'w') as full:
            done = run('help', stdout=full)
        self.assertEqual((done.status, len(done.said)), (1, 1))

    def test_dry_run(self):
        for ranks in (0, 3):
            out, stats = self.path('o.h5'), self.path('run.json')
            text = self.attend(KJV, '-o', out, '--dry-run', '--causal', '--stats', stats, ranks=ranks).out
            self.assertEqual(os.listdir(self.folder), [])
            for words in (r'memory +[\d.]+ [KM]iB', r'to send in all +[\d.]+ \w*B', r'operations +[\d.]+ GFLOP',
                          r'plan +\w+, '):
                self.assertRegex(text, words)
            self.assertEqual('taken' in text, ranks > 1)
        text = self.attend(KJV, '--dry-run', '--strategy=ring', ranks=3).out
        self.assertEqual(re.findall(r'(?m)^  (\w+) +contiguous +[\d.]+ \ws +[\d.]+ \wiB +[\d.]+ \wiB', text), ['ring'])

    def test_long_help(self):
        """No help of an option is cut."""
        page = self.said('help', '--man').replace('\\-', '-').replace('\\&', '')
        for command in 'attend', 'run', 'generate', 'import', 'bench':
            text = ' '.join(self.said('help', command).split())
            for paragraph in re.findall(r'(?m)^(?:[A-Z][^\n]{300,})$', page):
                if paragraph[:60] in text:
                    self.assertIn(paragraph[-40:].strip(), text)

    def test_machine(self):
        """The costs of a machine are measured once and kept; a file of another kind is refused and left alone."""
        machine = self.path('machine.json')
        first = self.attend(KJV, '--dry-run', '--machine', machine, ranks=2).out
        with open(machine) as f:
            kept = f.read()
        costs = json.loads(kept)
        self.assertEqual(set(costs), {'seqring_costs', 'flops_a_thread', 'copy_s_per_byte', 'inside', 'between'})
        self.assertEqual((set(costs['inside']), costs['between']), ({'latency_s', 's_per_byte', 'hidden_s_per_byte'}, None))
        self.assertEqual(self.attend(KJV, '--dry-run', '--machine', machine, ranks=2).out, first)
        link, lone = self.path('link.json'), self.path('lone.json')
        self.attend(KJV, '--dry-run', '--machine', lone)
        os.symlink('lone.json', link)
        self.attend(KJV, '--dry-run', '--machine', link, ranks=2)
        self.assertTrue(os.path.islink(link))
        with open(lone) as f:
            self.assertIsNotNone(json.load(f)['inside'])
        check_refusals(self, [Refusal(5, ('statistics', 'No space'), (KJV, '-o', self.path('o.h5'), '--stats', '/dev/full'))])
        os.symlink('none.json', self.path('astray.json'))
        for option in '--machine', '--stats':
            words = (KJV, option, self.path('astray.json'))
            check_refusals(self, [Refusal(4, ('astray.json', 'No such file'), words)])
        for text in ('', '{}', '[1]', kept.replace('_costs": 2', '_costs": 1'), kept.replace('"inside"', '"near"'),
                     kept.replace('null', '1'), kept.replace('null', '{}'),
                     re.sub(r'"flops_a_thread": [^,]*', '"flops_a_thread": -1', kept)):
            with open(machine, 'w') as f:
                f.write(text)
            check_refusals(self, [Refusal(3, ('machine.json',), (KJV, '--machine', machine))])
            with open(machine) as f:
                self.assertEqual(f.read(), text)

    def test_quiet(self):
        for ranks in (0, 2):
            done = self.attend(KJV, '-q', '-o', self.path('o.h5'), '--verify', '5', ranks=ranks)
            self.assertEqual(done.out, '')

    def test_summary(self):
        text = self.attend(KJV, '-o', self.path('o.h5'), '--causal', '--verify=5', ranks=2).out
        for words in ('1024 x 9 x 64', 'causal', 'zigzag', '2 ranks', 'attention', 'waiting for KV', 'peak memory',
                      'tokens/s', 'GFLOP/s', 'sent', 'verified', self.path('o.h5')):
            self.assertIn(words, text)
        self.assertNotIn('\r', text)

    def test_warning(self):
        """More threads than cores are warned of, by one rank, also when it is told to be quiet."""
        threads = min(4096, 2 * os.cpu_count())
        for ranks in (0, 2):
            done = self.attend(KJV, '--dry-run', '-q', '--threads', threads, ranks=ranks)
            self.assertEqual(len(done.warned), 1)
            self.assertIn(f'{threads} threads', done.warned[0])
            self.assertEqual(self.attend(KJV, '--dry-run', '--threads', 1).warned, [])

    def test_uneven_threads(self):
        """All ranks take as many threads as the one with the fewest, and are told so."""
        uneven = 'sh', '-c', 'OMP_NUM_THREADS=$((1 + OMPI_COMM_WORLD_RANK)) exec "$0" "$@"'
        done = run_command(command('attend', KJV, '--dry-run', ranks=3, through=uneven))
        self.assertEqual(done.status, 0)
        self.assertIn('3 ranks x 1 thread', done.out)
        self.assertIn('2 of 3 ranks could have more threads than the rank with the fewest, 1,', '\n'.join(done.warned))
        done = run_command([MPIRUN, '--oversubscribe', '--bind-to', 'core', '-n', '2', *uneven, PROGRAM, 'attend', KJV, '--dry-run'])
        self.assertEqual((done.status, len(done.warned)), (0, 1), done.warned)  # nobody has more threads than cores

    def test_thread_limit(self):
        """Threads that OpenMP would not give are not counted."""
        stats = self.path('run.json')
        self.attend(KJV, '-q', '-o', self.path('o.h5'), '--threads=2', '--stats', stats, env={'OMP_THREAD_LIMIT': '1'})
        with open(stats) as f:
            self.assertEqual(json.load(f)['threads'], 1)

    def test_stats(self):
        page = self.said('help', '--man').replace('\\-', '-')
        section = page[page.index('.SH STATISTICS'):page.index('.SH EXIT')]
        promised = {key for keys in re.findall(r'\\fB(.*)\\fR', section) for key in keys.split(', ')}
        stats = self.path('run.json')
        self.attend(KJV, '-q', '-o', self.path('o.h5'), '--causal', '--strategy=ring', '--balance=zigzag', '--verify', '7',
                    '--stats', stats, ranks=3)
        with open(stats) as f:
            found = json.load(f)
        self.assertEqual(set(found), promised)
        for key in SPREADS:
            self.assertEqual(set(found[key]), {'min', 'mean', 'max'})
            self.assertLessEqual(0, found[key]['min'])
            self.assertLessEqual(found[key]['min'], found[key]['mean'] * (1 + 1e-12))
            self.assertLessEqual(found[key]['mean'], found[key]['max'] * (1 + 1e-12))
        self.assertEqual((found['ranks'], found['threads'], found['nonfinite']), (3, 1, 0))
        self.assertEqual(round(found['queries_a_rank']['mean'] * 3), 1024)
        self.assertLess(found['wait_s']['max'], found['attention_s']['max'])
        self.assertLess(found['attention_s']['max'], found['wall_s'])
        visible = 1024 * 1025 // 2
        self.assertEqual(found['flops'], visible * 9 * 2 * (64 + 64))
        self.assertAlmostEqual(found['gflops'] * found['attention_s']['max'] * 1e9 / found['flops'], 1)
        self.assertEqual(found['output_bytes'], os.path.getsize(self.path('o.h5')))
        seen = 854, 684  # of rank 0's keys by ranks 1 and 2, whose queries are runs 1 and 4, and 2 and 3, of 6
        self.assertEqual(found['bytes_sent'], sum(seen) * 3 * 64 * 4 * 2)
        self.assertEqual(found['bytes_sent'], sum(step['bytes_sent'] for step in found['steps']))
        self.assertGreaterEqual(found['attention_s']['max'] * 3, sum(step['work_s']['mean'] for step in found['steps']))
        self.assertGreater(found['peak_memory_bytes'], found['planned_memory_a_rank']['max'])
        self.assertGreater(found['verify']['rows'], 0)
        self.assertLess(found['verify']['worst'], 1)
        self.assertEqual(sorted(os.listdir(self.folder)), ['o.h5', 'run.json'])

    def test_provenance(self):
        self.attend(KJV, '-q', '-o', self.path('o.h5'), '--window', '100,5', ranks=2)
        with h5py.File(self.path('o.h5')) as f:
            found = json.loads(f.attrs['provenance'])
        self.assertEqual(found['input']['q'], [1024, 9, 64])
        self.assertEqual(found['input']['path'], KJV)
        self.assertEqual(found['options']['window'], [100, 5])
        self.assertEqual(found['shapes'], {'o': [1024, 9, 64], 'lse': [1024, 9]})
        for key in ('versions', 'isa', 'checksums'):
            self.assertTrue(found[key])

    def test_info(self):
        text = self.said('info', KJV)
        for words in ('1024 x 9 x 64', 'float16', 'attend: yes'):
            self.assertIn(words, text)
        self.attend(KJV, '-q', '-o', self.path('o.h5'))
        text = self.said('info', self.path('o.h5'))
        for words in ('output of seqring: complete', 'provenance:', 'checksums', 'lse'):
            self.assertIn(words, text)
        path = write(self.path('in.h5'), compression='lzf', chunks=(8, 1, 1))
        self.assertIn('attend: no: ', self.said('info', path))
        done = run('info', self.path('missing.h5'))
        self.assertEqual((done.status, done.out, len(done.said)), (3, '', 1))
        self.assertIn(self.path('missing.h5'), done.said[0])


if __name__ == '__main__':
    main()
