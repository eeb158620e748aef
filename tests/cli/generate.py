#!/usr/bin/env python3
"""generate: what a small model goes on with, against NumPy, on any number of ranks, and what is refused."""
import numpy as np

import bert
import gguf
from program import Case, main, run
from run import decoder

ARGUMENT_ERROR, INPUT_ERROR, NONFINITE_ERROR = 2, 3, 6
SHAPES = (0, 1), (0, 2), (2, 1), (3, 1)


class Generate(Case):
    def setUp(self):
        super().setUp()
        self.arrays = gguf.quiet_tensors()
        self.model = self.import_model(gguf.write(self.path('model.gguf'), arrays=self.arrays))

    def import_model(self, source):
        self.assertEqual(run('import', source, '-q', '-o', self.path('model.h5')).status, 0)
        return self.path('model.h5')

    def text(self, content):
        with open(self.path('text'), 'w') as f:
            f.write(content)
        return self.path('text')

    def generate(self, text, *words, ranks=0):
        done = run('generate', '-q', '--model', self.model, '--text', text, *words, ranks=ranks)
        self.assertEqual((done.status, done.said), (0, []))
        return done.out

    def ids(self, text, *words, **how):
        return [int(word) for word in self.generate(text, '--ids', *words, **how).split()]

    def logits(self, ids, **mask):
        """Of the token that follows, but for a constant."""
        return decoder(np.append(ids, 0), self.arrays, **mask)[0][-2] @ self.arrays['token_embd.weight'].astype('f8').T

    def check_greedy(self, prompt, made, **mask):
        """Each is the most probable one, or as probable but for rounding."""
        ids = list(prompt)
        for token in made:
            logits = self.logits(np.array(ids), **mask)
            self.assertLess(logits.max() - logits[token], 1e-4)
            ids.append(token)

    def test_greedy(self):
        for text in 'the an7', 'the an7 the, ' * 10:
            path = self.text(text)
            found = {tuple(self.ids(path, '-n', 12, '--threads', threads, ranks=ranks)) for ranks, threads in SHAPES}
            self.assertEqual(len(found), 1)
            made = found.pop()
            self.assertTrue(made)
            self.check_greedy(self.tokens_of(self.model, text.encode()), made)

    def test_long_text(self):
        """Tokens fall to several ranks, and new ones to the last."""
        path = self.text('the an7 the, ' * 190)
        found = {tuple(self.ids(path, '-n', 5, '--limit', 1022, ranks=ranks)) for ranks in (0, 2, 3, 5)}
        self.assertEqual(len(found), 1)
        self.check_greedy(self.tokens_of(self.model, ('the an7 the, ' * 190).encode())[:1022], found.pop())

    def test_window(self):
        text = 'the an7 the, ' * 20
        made = self.ids(self.text(text), '-n', 8, '--window=9,0', '--sinks=3', ranks=2)
        self.check_greedy(self.tokens_of(self.model, text.encode()), made, left=9, sinks=3)

    def test_text(self):
        path, byte = self.text('the an7'), {character: b for b, character in gguf.alphabet().items()}
        words = [text for text, _ in gguf.tokens()]
        made = b''.join(bytes(byte[c] for c in words[token]) for token in self.ids(path, '-n', 6))
        self.assertEqual(self.generate(path, '-n', 6), made.decode(errors='replace') + '\n')

    def test_beyond_its_context(self):
        """A text that fits what the model was trained on may not do so once it goes on."""
        path = self.text('the an7')
        room = gguf.metadata()['llama.context_length'][1]
        for more, warnings in ((room - 20, []), (room, [f'trained on up to {room}'])):
            done = run('generate', '-q', '--model', self.model, '--text', path, '--ids', '-n', more)
            self.assertEqual((done.status, done.said, len(done.warned)), (0, [], len(warnings)))
            for warned, expected in zip(done.warned, warnings):
                self.assertIn(expected, warned)

    def test_end(self):
        """The token that ends a text ends what is made, and is not printed."""
        made = self.ids(self.text('the an7'), '-n', 6)
        values = {**gguf.metadata(), 'tokenizer.ggml.eos_token_id': (gguf.U32, made[3])}
        self.import_model(gguf.write(self.path('model.gguf'), values, self.arrays))
        self.assertEqual(self.ids(self.text('the an7'), '-n', 6), made[:made.index(made[3])])
        values['tokenizer.ggml.eot_token_id'] = (gguf.U32, made[1])
        self.import_model(gguf.write(self.path('model.gguf'), values, self.arrays))
        self.assertEqual(self.ids(self.text('the an7'), '-n', 6), made[:made.index(made[1])])

    def test_end_of_the_text(self):
        """The token that a tokenizer puts behind a text is none of those that the model goes on after."""
        made = self.ids(self.text('the an7'), '-n', 6)
        end = next(i for i in range(len(gguf.tokens())) if i not in made)
        values = {**gguf.metadata(), 'tokenizer.ggml.add_eos_token': (gguf.BOOL, True), 'tokenizer.ggml.eos_token_id': (gguf.U32, end)}
        self.import_model(gguf.write(self.path('model.gguf'), values, self.arrays))
        self.assertEqual(self.ids(self.text('the an7'), '-n', 6), made)

    def test_names_in_a_block(self):
        """The end of a configuration's block of lines is no further name."""
        path, config = self.text('the an7'), self.path('run.yaml')
        with open(config, 'w') as f:
            f.write(f'model: {self.model}\ntext: |\n  {path}\n')
        self.assertNotIn('more', run('run', '--config', config, '--dry-run').out)

    def test_sampling(self):
        path = self.text('the an7')
        greedy = self.ids(path, '-n', 10)
        self.assertEqual(self.ids(path, '-n', 10, '--temperature=1', '--top-k=1'), greedy)
        self.assertEqual(self.ids(path, '-n', 10, '--temperature=1', '--top-p=1e-9'), greedy)
        drawn = [self.ids(path, '-n', 10, '--temperature=2', '--seed', seed) for seed in range(4)]
        self.assertEqual(self.ids(path, '-n', 10, '--temperature=2', '--seed=3', ranks=2), drawn[3])
        self.assertGreater(len({tuple(ids) for ids in drawn}), 1)

    def refuse(self, status, expected, *words):
        self.refuse_command(status, expected, 'generate', *words, rank_counts=(0, 2))

    def test_refused(self):
        text = self.text('the')
        self.refuse(ARGUMENT_ERROR, ('no model',), '--text', text)
        self.refuse(ARGUMENT_ERROR, ('no text',), '--model', self.model)
        self.refuse(ARGUMENT_ERROR, ('--temperature',), '--model', self.model, '--text', text, '--temperature=-1')
        self.refuse(ARGUMENT_ERROR, ('--top-p',), '--model', self.model, '--text', text, '--top-p=0')
        self.refuse(INPUT_ERROR, ('No such file',), '--model', self.model, '--text', self.path('none'))
        arrays = {**self.arrays, 'output_norm.weight': np.full_like(self.arrays['output_norm.weight'], np.nan)}
        model = self.import_model(gguf.write(self.path('nan.gguf'), arrays=arrays))
        self.refuse(NONFINITE_ERROR, ('NaN',), '--model', model, '--text', text)
        model = self.import_model(bert.write(self.path('bert')))
        self.refuse(ARGUMENT_ERROR, ('predicts no token',), '--model', model, '--text', text)


if __name__ == '__main__':
    main()
