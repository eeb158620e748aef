"""What folders of decoders like Llama hold, as Hugging Face's libraries write them, with the vocabulary of gguf.py."""
import gguf

NAMES = {'embedding': 'embed_tokens', 'final_norm': 'norm', 'attention_norm': 'input_layernorm', 'query': 'self_attn.q_proj',
         'key': 'self_attn.k_proj', 'value': 'self_attn.v_proj', 'query_norm': 'self_attn.q_norm', 'key_norm': 'self_attn.k_norm',
         'output': 'self_attn.o_proj', 'inner_norm': 'post_attention_layernorm', 'gate': 'mlp.gate_proj', 'up': 'mlp.up_proj',
         'down': 'mlp.down_proj'}
LLAMA3 = {'rope_type': 'llama3', 'factor': 8.0, 'low_freq_factor': 1.0, 'high_freq_factor': 4.0,
          'original_max_position_embeddings': 64}


def config(s, **changed):
    """Of a stack as seqring describes it."""
    return {'model_type': 'llama', 'vocab_size': s['vocabulary'], 'hidden_size': s['width'], 'num_hidden_layers': s['layers'],
            'num_attention_heads': s['heads'], 'num_key_value_heads': s['kv_heads'], 'head_dim': s['head_width'],
            'intermediate_size': s['inner_width'], 'max_position_embeddings': s['context'], 'rms_norm_eps': s['epsilon'],
            'rope_theta': s['rotary_base'], 'hidden_act': 'silu', 'tie_word_embeddings': s['head'] == 'tied', 'eos_token_id': [0, 5],
            **changed}


def tokenizer(**changed):
    end, *others = (text for text, _ in gguf.tokens())
    return {'added_tokens': [{'id': 0, 'content': end, 'special': True}], 'normalizer': None,
            'pre_tokenizer': {'type': 'Sequence', 'pretokenizers': [{'type': 'Digits', 'individual_digits': True},
                                                                    {'type': 'ByteLevel', 'add_prefix_space': False}]},
            'post_processor': {'type': 'ByteLevel'},
            'model': {'type': 'BPE', 'dropout': None, 'unk_token': None, 'byte_fallback': False, 'ignore_merges': False,
                      'vocab': {text: i + 1 for i, text in enumerate(others)}, 'merges': gguf.merges()}, **changed}


def foreign(name):
    """decoder.1.query.weight as Hugging Face names it."""
    parts = name.split('.')[1:]
    if parts[0] == 'head':
        return 'lm_head.' + parts[1]
    layer = f'layers.{parts.pop(0)}.' if parts[0].isdigit() else ''
    return f'model.{layer}{NAMES[parts[0]]}.{parts[1]}'
