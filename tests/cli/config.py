#!/usr/bin/env python3
"""Run files: every option is a key, the command line wins, and what is wrong in one is named with its line."""
import glob
import json
import os
import re

import h5py

import bert
import gguf
from program import KJV, SOURCES, Case, Refusal, check_refusals, main, run, write

ARGUMENT_ERROR = 2
CONFIGS = os.path.join(SOURCES, 'configs')
ONLY_WORDS = {'config', 'help', 'version'}  # options that are no keys


def options_of_attend():
    """Names from --help, with that of the input, which is given without it."""
    text = run('attend', '--help').out
    return set(re.findall(r'^  (?:-\w, |    )--([a-z-]+)', text, re.M)) | {'input'}


class Config(Case):
    def config(self, text):
        path = self.path('run.yaml')
        with open(path, 'w') as f:
            f.write(text)
        return path

    def resolved(self, text, *words):
        """What a run with this file comes to, as its statistics tell."""
        stats = self.path('run.json')
        self.attend(write(self.path('in.h5')), '-q', '-o', self.path('o.h5'), '--stats', stats, '--config',
                    self.config(text), *words)
        with open(stats) as f:
            found = json.load(f)
        return found['resolved'] | {'verified_rows': found['verify']['rows']}

    def refuse(self, text, *said):
        path = self.config(text)
        with self.subTest(text=text):
            done = run('attend', KJV, '-o', self.path('o.h5'), '--config', path)
            self.check_refusal(Refusal(ARGUMENT_ERROR, (path, *said), ()), done)
            self.assertEqual(os.listdir(self.folder), ['run.yaml'])

    def test_command_line_wins(self):
        text = 'causal: yes\nwindow: 3,1\nscale: 0.5\nq-start: 7\nverify: 2\n'
        found = self.resolved(text)
        self.assertEqual([found[key] for key in ('causal', 'window', 'scale', 'q_start')], [True, [3, 1], 0.5, 7])
        self.assertGreater(found['verified_rows'], 0)
        found = self.resolved(text, '--no-causal', '--window=2,0', '--q-start=-3', '--scale', '0.25')
        self.assertEqual([found[key] for key in ('causal', 'window', 'scale', 'q_start')], [False, [2, 0], 0.25, -3])

    def test_files_of_a_run(self):
        """Input and output from the file, relative to where the program starts."""
        write(self.path('in.h5'), group='/g')
        text = 'input: in.h5\noutput: o.h5\ngroup: /g\nstats: run.json\nquiet: yes\n'
        done = self.attend('--config', self.config(text), cwd=self.folder)
        self.assertEqual(done.out, '')
        self.assertEqual(sorted(os.listdir(self.folder)), ['in.h5', 'o.h5', 'run.json', 'run.yaml'])
        done = self.attend('--config', self.path('run.yaml'), '-o', 'other.h5', '--stats=other.json', ranks=2,
                           cwd=self.folder)
        self.assertTrue({'other.h5', 'other.json'} <= set(os.listdir(self.folder)))

    def test_default(self):
        """The commented default has every option, with the value that it has without the file."""
        with open(os.path.join(CONFIGS, 'default.yaml')) as f:
            text = f.read()
        keys = re.findall(r'^(?:# )?([a-z-]+): ', text, re.M)
        self.assertEqual(sorted(keys), sorted(options_of_attend() - ONLY_WORDS))
        path = write(self.path('in.h5'))
        found = []
        for words in ((), ('--config', os.path.join(CONFIGS, 'default.yaml'))):
            self.attend(path, '-o', self.path('o.h5'), '--stats', self.path('run.json'), *words)
            with open(self.path('run.json')) as f:
                found.append(json.load(f)['options'])
        self.assertEqual(*found)
        files = {'input': path, 'output': self.path('o.h5'), 'stats': self.path('all.json')}
        for key, value in files.items():
            text = re.sub(rf'^# {key}: \S+', f'{key}: {value}', text, flags=re.M)
        self.attend('--config', self.config(text))
        self.assertTrue(os.path.exists(files['stats']))

    def configs(self, command):
        found = []
        for path in glob.glob(os.path.join(CONFIGS, '*.yaml')):
            with open(path) as f:
                if f'seqring {command} --config' in f.read():
                    found.append(path)
        self.assertGreater(len(found), 1)
        return found

    def test_use_cases(self):
        """Each says in its head which command it is for."""
        model, text = self.path('model.h5'), self.path('text')
        self.assertEqual(run('import', gguf.write(self.path('model.gguf')), '-q', '-o', model).status, 0)
        with open(text, 'w') as f:
            f.write('the an7\nthe the\n')
        encoder = self.path('encoder.h5')
        self.assertEqual(run('import', bert.write(self.path('bert')), '-q', '-o', encoder).status, 0)
        for path in self.configs('run'):
            with self.subTest(path):
                words = ('--model', encoder, '--questions', text) if 'passages' in path else ('--model', model)
                done = run('run', '-q', '--config', path, *words, '--text', text, '-o', self.path('r.h5'))
                self.assertEqual((done.status, done.said), (0, []))
                with h5py.File(self.path('r.h5')) as f:
                    self.assertGreater(len(f['units']), 0)
        for path in self.configs('attend'):
            with self.subTest(path):
                done = self.attend(KJV, '--dry-run', '--config', path)
                self.assertIn('memory', done.out)
                self.attend(KJV, '-o', self.path('o.h5'), '--config', path, '-q')
                with h5py.File(self.path('o.h5')) as f:
                    self.assertEqual(f['o'].shape, (1024, 9, 64))

    def test_yaml(self):
        for text in ('', '# nothing\n', '{causal: yes, scale: 0.5}\n', '"causal": "yes"\n', 'causal: !!str yes\n'):
            self.attend(KJV, '--dry-run', '--config', self.config(text))

    def test_wrong(self):
        self.refuse('causal: yes\nwindw: 3,0\n', 'line 2', "'windw'", "'window'")
        self.refuse('config: other.yaml\n', "'config'")
        self.refuse('Causal: yes\n', "'Causal'", "'causal'")
        self.refuse('help: yes\n', "'help'")
        self.refuse('causal: maybe\n', 'causal', "'maybe'")
        self.refuse('scale: fast\n', 'scale', "'fast'")
        self.refuse('window: [3, 0]\n', 'line 1', 'window')
        self.refuse('threads:\n', 'threads')
        self.refuse('causal: yes\ncausal: no\n', 'causal')
        self.refuse('- causal\n')
        self.refuse('causal\n')
        self.refuse('causal: [yes\n')
        self.refuse('\tcausal: yes\n')
        self.refuse('causal: "yes\n')
        self.refuse('causal: \0\n')
        self.refuse('output: ""\n', 'output', 'empty')
        self.refuse('a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n')
        self.refuse('#' * (1 << 20) + '\n', 'too large')
        self.refuse('causal: yes\n...\n---\nwindw: 3\n')

    def test_no_file(self):
        missing = self.path('missing.yaml')
        check_refusals(self, [
            Refusal(ARGUMENT_ERROR, (missing, 'No such file'), (KJV, '--config', missing)),
            Refusal(ARGUMENT_ERROR, (self.folder, 'directory'), (KJV, '--config', self.folder)),
            Refusal(ARGUMENT_ERROR, (KJV,), (KJV, '--config', KJV))])
        check_refusals(self, [Refusal(ARGUMENT_ERROR, (self.config('windw: 1\n'), "'windw'"),
                                      (KJV, '--config', self.path('run.yaml')))])


if __name__ == '__main__':
    main()
