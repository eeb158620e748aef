#!/usr/bin/env python3
"""The command line: what is misspelt, missing, doubled or no number is an error that names it."""
from program import KJV, Case, Refusal, check_refusals, main, run, write

ARGUMENT_ERROR = 2


class Options(Case):
    def refuse(self, *words, said=(), command=('attend', KJV)):
        """said: words of the one line."""
        with self.subTest(words=words):
            self.check_refusal(Refusal(ARGUMENT_ERROR, tuple(said), words), run(*command, *words))

    def accept(self, *words, command=('attend', KJV, '--dry-run', '-q')):
        with self.subTest(words=words):
            done = run(*command, *words)
            self.assertEqual((done.status, done.said, done.out), (0, [], ''))

    def test_misspelt(self):
        for wrong, right in {'--windw=3,0': '--window', '--casual': '--causal', '-causal': '--causal',
                             '--dry': '--dry-run', '--no-casual': '--causal', '--out-dtyp': '--out-dtype',
                             '--OUTPUT': '--output', '--q_start=0': '--q-start'}.items():
            self.refuse(wrong, said=(f"'{wrong}'", f"'{right}'"))
        for wrong in ('-x', '-qx', '--', '--=3', '--no-', '--no-scale', '--no-help', '-'):
            self.refuse('-q', wrong, said=())
        self.refuse(said=("'attned'", "'attend'"), command=('attned', KJV))
        self.refuse(said=("'attned'", "'attend'"), command=('help', 'attned'))
        self.refuse(said=("'--verison'", "'--version'"), command=('--verison',))
        self.refuse(said=("'--gruop'", "'--group'"), command=('info', KJV, '--gruop', '/'))
        self.refuse(said=('seqring help',), command=())
        self.refuse(said=("''",), command=('',))

    def test_abbreviated(self):
        for word in ('--cau', '--out=o.h5', '--qu', '--verify-s=1'):
            self.refuse(word, said=(f"'{word}'",))

    def test_missing(self):
        self.refuse('--output', said=("'--output'", 'needs a value'))
        self.refuse('-qo', said=("'-qo'", 'needs a value'))
        self.refuse('--output', '--causal', said=("'--output'", 'needs a value', "'--causal'"))
        self.refuse('--output=', said=('--output', 'empty'))
        self.refuse('-o', '', said=('--output', 'empty'))
        self.refuse('--group=', said=('--group', 'empty'))
        self.refuse('--q-start', said=("'--q-start'", 'needs a value'))
        self.refuse('--causal', said=('no output file',))
        self.refuse('-o', 'o.h5', said=('no input file',), command=('attend',))
        self.refuse('', said=('input', 'empty'), command=('attend', '-o', 'o.h5'))
        self.refuse(said=('no file',), command=('info',))

    def test_too_much(self):
        self.refuse('-o', 'a.h5', '--output=b.h5', said=("'--output'", 'twice'))
        self.refuse('--causal', '--no-causal', said=("'--causal'", 'twice'))
        self.refuse('-qq', said=("'--quiet'", 'twice'))
        self.refuse('--causal=no', said=("'--causal'", "'--causal=no'", '--no-NAME'))
        self.refuse('--no-causal=yes', said=("'--no-causal'", 'no value'))
        self.refuse('other.h5', said=("'other.h5'", KJV))
        self.refuse('--', '--dry-run', said=("'--dry-run'", KJV))
        self.refuse('-o', 'x!#:+', said=("'x!#:+'",))
        self.refuse('-o', 'o' * 5000, said=('--output', '4095'))

    def test_values(self):
        for option, values in {
                '--window': ('', '1', '1,', ',1', '1,2,3', '-2,0', '0,-2', 'a,b', '1, 2', '1.5,0',
                             '99999999999999999999,0'),
                '--q-start': ('', 'x', '1.5', '1e3', '0x10', ' 1', '+', '999999999999999999999', '-281474976710657'),
                '--scale': ('', 'x', 'nan', 'inf', '-inf', '1e999', '0x1p3', '1.5.2', '1e', ' 1', '1,5'),
                '--out-dtype': ('', 'float', 'Float32', 'int8'),
                '--nan': ('', 'ignore'),
                '--products': ('', 'bf16', 'float32'),
                '--balance': ('', 'best'),
                '--strategy': ('', 'rings', 'hybrid:', 'hybrid:2', 'hybrid:0x2', 'hybrid:2x2x2', 'ring:2x2'),
                '--piece': ('', '0', '2147483648', '4M'),
                '--threads': ('', '0', '-1', '4097', '2.0'),
                '--verify': ('', '-1', 'all'),
                '--verify-seed': ('-1', 'x')}.items():
            for value in values:
                self.refuse(f'{option}={value}', said=(f'{option}: ', f"'{value}'"))
        self.refuse('--scale', '--causal', said=("'--scale'", 'needs a value'))

    def test_accepted(self):
        self.accept()
        for words in (('--q-start', '-5'), ('--q-start=-5',), ('--q-start', 'end'), ('--window=-1,0',),
                      ('--window', '-1,-1'), ('--scale', '-0.5'), ('--scale=1e-3',), ('--scale', 'auto'),
                      ('--no-causal',), ('--causal',), ('--threads', '1'), ('--threads=auto',), ('--group=/',)):
            self.accept(*words)
        self.accept('-qo', 'o.h5', command=('attend', '--dry-run', KJV))
        self.accept('-oo.h5', command=('attend', '--dry-run', '-q', KJV))
        self.accept('--', KJV, command=('attend', '--dry-run', '-q'))
        dashed = write(self.path('--in.h5'))
        self.accept('--', dashed, command=('attend', '--dry-run', '-q'))
        for name in ('has blanks.h5', 'ümläut.h5', "quo'te.h5", 'line\nbreak.h5', '--in.h5'):
            self.accept(write(self.path(name)), command=('attend', '--dry-run', '-q'))

    def test_relative_names(self):
        """A name that begins with a hyphen, from the folder that holds it."""
        write(self.path('-in.h5'))
        self.attend('-q', '--output=-o.h5', '--', '-in.h5', cwd=self.folder)
        self.attend('-q', '-o', './--o.h5', '--', './-in.h5', cwd=self.folder)

    def test_two_ranks(self):
        """Every process sees a wrong command line; one speaks."""
        check_refusals(self, [Refusal(ARGUMENT_ERROR, ("'--windw'", '--window'), (KJV, '--windw')),
                              Refusal(ARGUMENT_ERROR, ('--scale', "'x'"), (KJV, '--scale=x')),
                              Refusal(ARGUMENT_ERROR, ('no input file',), ()),
                              Refusal(ARGUMENT_ERROR, ('--threads',), (KJV, '--threads', '0'))])

    def test_environment(self):
        done = run('attend', KJV, '--dry-run', env={'OMP_NUM_THREADS': '5000'})
        self.check_refusal(Refusal(ARGUMENT_ERROR, ('OMP_NUM_THREADS=5000',), ()), done)
        done = run('attend', KJV, '--dry-run', env={'SEQRING_ISA': 'mmx'})
        self.check_refusal(Refusal(ARGUMENT_ERROR, ('SEQRING_ISA', 'mmx'), ()), done)
        done = run('attend', KJV, '--dry-run', '-q', env={'POSIXLY_CORRECT': '1'})
        self.check_refusal(Refusal(ARGUMENT_ERROR, ("'--dry-run'",), ()), done)


if __name__ == '__main__':
    main()
