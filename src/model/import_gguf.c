/* What GGUF's metadata says of a decoder like Llama's, and of its tokens. The keys: ggml's docs/gguf.md. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "import.h"
#include "vocabulary_build.h"

static const sr_naming llama[] = {
    {"embedding", "token_embd"},
    {"rotary_factors", "rope_freqs"},
    {"attention_norm", "blk.%d.attn_norm"},
    {"query", "blk.%d.attn_q"},
    {"key", "blk.%d.attn_k"},
    {"value", "blk.%d.attn_v"},
    {"output", "blk.%d.attn_output"},
    {"inner_norm", "blk.%d.ffn_norm"},
    {"gate", "blk.%d.ffn_gate"},
    {"up", "blk.%d.ffn_up"},
    {"down", "blk.%d.ffn_down"},
    {"final_norm", "output_norm"},
    {"head", "output"},
    {NULL, NULL},
};

/* How texts are cut, by the name that GGUF has for it. */
static const struct {
  const char *name;
  const char *pattern[2];
} cuts[] = {{"gpt-2", {SR_PATTERN_GPT2}}, {"smollm", {"\\p{N}", SR_PATTERN_GPT2}}};

/* Types of tokens. */
enum { TOKEN_NORMAL = 1, TOKEN_CONTROL = 3 };

static const json_t *get(const sr_import *import, const char *key) {
  return json_object_get(import->source.metadata, key);
}

static sr_status no_key(const sr_import *import, const char *key) {
  return sr_fail(SR_ERR_INPUT, "%s: '%s' is missing, or not possible", import->source.path, key);
}

static sr_status get_integer(const sr_import *import, const char *key, int64_t *value) {
  const json_t *json = get(import, key);
  if (!json_is_integer(json) || json_integer_value(json) < 1) return no_key(import, key);
  *value = json_integer_value(json);
  return SR_OK;
}

static sr_status get_optional(const sr_import *import, const char *key, int64_t standard, int64_t *value) {
  *value = standard;
  return get(import, key) ? get_integer(import, key, value) : SR_OK;
}

static sr_status get_real(const sr_import *import, const char *key, double *value) {
  const json_t *json = get(import, key);
  if (!json_is_real(json)) return no_key(import, key);
  *value = json_real_value(json);
  return SR_OK;
}

/* Files that name no type scale linearly, by a factor that older ones call otherwise; 0 and 1 are none. */
static sr_status read_untyped_scaling(sr_import *import) {
  const json_t *factor = get(import, "llama.rope.scaling.factor");
  if (!factor) factor = get(import, "llama.rope.scale_linear");
  const double by = json_number_value(factor);
  return by == 0 || by == 1 ? SR_OK : sr_import_scale(import, sr_scaling_linear(by));
}

static sr_status read_scaling(sr_import *import) {
  const char *type = json_string_value(get(import, "llama.rope.scaling.type"));
  double factor = 0;
  if (!type) return read_untyped_scaling(import);
  if (!strcmp(type, "none")) return SR_OK;
  if (!strcmp(type, "linear")) {
    SR_TRY(get_real(import, "llama.rope.scaling.factor", &factor));
    return sr_import_scale(import, sr_scaling_linear(factor));
  }
  return sr_fail(SR_ERR_INPUT, "%s: frequencies scaled as '%.40s' are not read", import->source.path, type);
}

static sr_status describe(sr_import *import) {
  const char *architecture = json_string_value(get(import, "general.architecture"));
  if (!architecture || strcmp(architecture, "llama"))
    return sr_fail(SR_ERR_INPUT, "%s: its architecture is '%.40s': of GGUF files 'llama' is read", import->source.path,
                   architecture ? architecture : "unknown");
  sr_stack *s = &import->description.decoder;
  import->description.has_decoder = true;
  *s = (sr_stack){.embedding_scale = 1,
                  .positions = SR_POSITIONS_ROTARY,
                  .rotary_pairs = SR_PAIRS_INTERLEAVED, /* GGUF's order of rows */
                  .causal = true,
                  .norm = SR_NORM_RMS,
                  .norm_place = SR_NORM_BEFORE,
                  .final_norm = true,
                  .activation = SR_ACTIVATION_SILU,
                  .gated = true};
  SR_TRY(get_integer(import, "llama.block_count", &s->layers));
  SR_TRY(get_integer(import, "llama.context_length", &s->context));
  SR_TRY(get_integer(import, "llama.embedding_length", &s->width));
  SR_TRY(get_integer(import, "llama.feed_forward_length", &s->inner_width));
  SR_TRY(get_integer(import, "llama.attention.head_count", &s->heads));
  SR_TRY(get_optional(import, "llama.attention.head_count_kv", s->heads, &s->kv_heads));
  SR_TRY(get_optional(import, "llama.attention.key_length", s->width / s->heads, &s->head_width));
  SR_TRY(get_optional(import, "llama.rope.dimension_count", s->head_width, &s->rotary_width));
  SR_TRY(get_real(import, "llama.attention.layer_norm_rms_epsilon", &s->epsilon));
  s->rotary_base = 10000;
  if (get(import, "llama.rope.freq_base")) SR_TRY(get_real(import, "llama.rope.freq_base", &s->rotary_base));
  s->rotary_factors = sr_source_find(&import->source, "rope_freqs.weight") != NULL;
  s->qkv_bias = sr_source_find(&import->source, "blk.0.attn_q.bias") != NULL;
  s->head = sr_source_find(&import->source, "output.weight") ? SR_HEAD_OWN : SR_HEAD_TIED;
  s->vocabulary = import->vocabulary.n;
  return read_scaling(import);
}

static sr_status read_tokens(sr_import *import) {
  const json_t *tokens = get(import, "tokenizer.ggml.tokens"), *types = get(import, "tokenizer.ggml.token_type");
  size_t bytes = 0, i;
  json_t *text;
  if (json_array_size(tokens) < 1) return no_key(import, "tokenizer.ggml.tokens");
  if (json_array_size(types) != json_array_size(tokens)) return no_key(import, "tokenizer.ggml.token_type");
  json_array_foreach(tokens, i, text) bytes += json_string_length(text);
  SR_TRY(sr_vocabulary_reserve(&import->vocabulary, (int64_t)json_array_size(tokens), bytes));
  json_array_foreach(tokens, i, text) {
    const json_int_t type = json_integer_value(json_array_get(types, i));
    if (!json_is_string(text)) return no_key(import, "tokenizer.ggml.tokens");
    if (type != TOKEN_NORMAL && type != TOKEN_CONTROL)
      return sr_fail(SR_ERR_INPUT, "%s: token %zu is of type %" JSON_INTEGER_FORMAT ", which is not read",
                     import->source.path, i, type);
    SR_TRY(sr_vocabulary_add(import->source.path, &import->vocabulary, json_string_value(text),
                             json_string_length(text), type == TOKEN_CONTROL ? SR_TOKEN_CONTROL : SR_TOKEN_NORMAL,
                             true));
  }
  return SR_OK;
}

static sr_status read_merges(sr_import *import) {
  sr_vocabulary *v = &import->vocabulary;
  const json_t *tokens = get(import, "tokenizer.ggml.tokens"), *merges = get(import, "tokenizer.ggml.merges"), *text;
  size_t i;
  if (!json_is_array(merges)) return no_key(import, "tokenizer.ggml.merges");
  const char **texts = calloc((size_t)v->n + 1, sizeof *texts);
  if (!texts) return sr_fail(SR_ERR_RESOURCE, "%s: no memory for its tokens", import->source.path);
  json_array_foreach(tokens, i, text) texts[i] = json_string_value(text);
  sr_status status = sr_vocabulary_merge(import->source.path, v, texts, merges);
  free(texts);
  return status;
}

static sr_status choose_cut(sr_import *import) {
  sr_vocabulary *v = &import->vocabulary;
  const char *model = json_string_value(get(import, "tokenizer.ggml.model"));
  const char *cut = json_string_value(get(import, "tokenizer.ggml.pre"));
  if (!model || strcmp(model, "gpt2"))
    return sr_fail(SR_ERR_INPUT, "%s: its tokenizer is '%.40s': of GGUF files 'gpt2' is read", import->source.path,
                   model ? model : "unknown");
  for (size_t i = 0; cut && i < sizeof cuts / sizeof *cuts; i++) {
    if (strcmp(cut, cuts[i].name)) continue;
    while (v->n_patterns < 2 && cuts[i].pattern[v->n_patterns]) {
      strcpy(v->pattern[v->n_patterns], cuts[i].pattern[v->n_patterns]);
      v->n_patterns++;
    }
    return SR_OK;
  }
  return sr_fail(SR_ERR_INPUT, "%s: it cuts texts as '%.40s' does, which is not read", import->source.path,
                 cut ? cut : "default");
}

/* A token that may be named, or -1. */
static int64_t get_token(const sr_import *import, const char *key) {
  const json_t *id = get(import, key);
  return json_is_integer(id) ? json_integer_value(id) : -1;
}

/* What stands in front of a text and behind it, where the model wants that. */
static sr_status choose_ends(const sr_import *import, const char *wanted, const char *key, int64_t *token) {
  *token = json_is_true(get(import, wanted)) ? get_token(import, key) : -1;
  return *token < 0 && json_is_true(get(import, wanted)) ? no_key(import, key) : SR_OK;
}

sr_status sr_import_gguf(sr_import *import) {
  sr_vocabulary *v = &import->vocabulary;
  v->kind = SR_VOCABULARY_BPE;
  v->unknown = get_token(import, "tokenizer.ggml.unknown_token_id");
  SR_TRY(sr_vocabulary_add_ends(import->source.path, v, get(import, "tokenizer.ggml.eos_token_id")));
  SR_TRY(sr_vocabulary_add_ends(import->source.path, v, get(import, "tokenizer.ggml.eot_token_id"))); /* of a turn, */
  SR_TRY(sr_vocabulary_add_ends(import->source.path, v, get(import, "tokenizer.ggml.eom_token_id"))); /* a message */
  SR_TRY(choose_cut(import));
  SR_TRY(choose_ends(import, "tokenizer.ggml.add_bos_token", "tokenizer.ggml.bos_token_id", &v->first));
  SR_TRY(choose_ends(import, "tokenizer.ggml.add_eos_token", "tokenizer.ggml.eos_token_id", &v->last));
  SR_TRY(read_tokens(import));
  SR_TRY(read_merges(import));
  import->naming = llama;
  import->license = json_string_value(get(import, "general.license"));
  return describe(import);
}
