/* What a folder says of a decoder like Llama. The keys: the configurations of Hugging Face's transformers. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "import_folder.h"

static const sr_naming llama[] = {
    {"embedding", "model.embed_tokens"},
    {"attention_norm", "model.layers.%d.input_layernorm"},
    {"query", "model.layers.%d.self_attn.q_proj"},
    {"key", "model.layers.%d.self_attn.k_proj"},
    {"value", "model.layers.%d.self_attn.v_proj"},
    {"query_norm", "model.layers.%d.self_attn.q_norm"},
    {"key_norm", "model.layers.%d.self_attn.k_norm"},
    {"output", "model.layers.%d.self_attn.o_proj"},
    {"inner_norm", "model.layers.%d.post_attention_layernorm"},
    {"gate", "model.layers.%d.mlp.gate_proj"},
    {"up", "model.layers.%d.mlp.up_proj"},
    {"down", "model.layers.%d.mlp.down_proj"},
    {"final_norm", "model.norm"},
    {"head", "lm_head"},
    {NULL, NULL},
};
/* What follows from config.json, and where that says so, a second copy of the embedding table. */
static const char *const left_out[] = {".rotary_emb.inv_freq", NULL};
static const char *const tied_left_out[] = {".rotary_emb.inv_freq", "lm_head.weight", NULL};

/* How the families differ. */
static const struct {
  const char *type;
  bool qkv_bias, query_key_norm;
} families[] = {{"llama", false, false}, {"mistral", false, false}, {"qwen2", true, false}, {"qwen3", false, true}};

static const char file[] = "config.json";

static bool is_set(const sr_import *import, const char *key) {
  return json_is_true(sr_folder_get(import, file, key));
}

/* What it says of rotary positions: newer files have all of it in one object. */
static const json_t *rotary_of(const sr_import *import) {
  const json_t *parameters = sr_folder_get(import, file, "rope_parameters");
  return json_is_object(parameters) ? parameters : sr_folder_get(import, file, "rope_scaling");
}

static sr_status read_base(const sr_import *import, double *base) {
  const json_t *inside = json_object_get(rotary_of(import), "rope_theta");
  *base = inside ? json_number_value(inside) : 10000;
  if (!inside && sr_folder_get(import, file, "rope_theta")) return sr_folder_real(import, "rope_theta", base);
  return *base > 0 ? SR_OK : sr_folder_no_key(import, file, "rope_theta");
}

static sr_status read_scaling(sr_import *import) {
  const json_t *rotary = rotary_of(import), *type = json_object_get(rotary, "rope_type");
  const char *name = json_string_value(type ? type : json_object_get(rotary, "type"));
  const double factor = json_number_value(json_object_get(rotary, "factor"));
  if (!name && json_object_get(rotary, "factor"))
    return sr_fail(SR_ERR_INPUT, "%s: it scales frequencies, and does not say how", import->source.path);
  if (!name || !strcmp(name, "default")) return SR_OK;
  if (!strcmp(name, "linear")) return sr_import_scale(import, sr_scaling_linear(factor));
  if (strcmp(name, "llama3"))
    return sr_fail(SR_ERR_INPUT, "%s: frequencies scaled as '%.40s' are not read", import->source.path, name);
  const sr_scaling by_turns = {.factor = factor,
                               .low = json_number_value(json_object_get(rotary, "low_freq_factor")),
                               .high = json_number_value(json_object_get(rotary, "high_freq_factor")),
                               .context =
                                   json_number_value(json_object_get(rotary, "original_max_position_embeddings"))};
  if (by_turns.context == 0)
    return sr_fail(SR_ERR_INPUT, "%s: it scales frequencies, and does not say for which first context",
                   import->source.path);
  return sr_import_scale(import, by_turns);
}

static sr_status read_rotary(sr_import *import, sr_stack *s) {
  const json_t *part = sr_folder_get(import, file, "partial_rotary_factor");
  const double share = part ? json_number_value(part) : 1;
  if (!(share > 0 && share <= 1)) return sr_folder_no_key(import, file, "partial_rotary_factor");
  s->rotary_width = (int64_t)((double)s->head_width * share);
  SR_TRY(read_base(import, &s->rotary_base));
  return read_scaling(import);
}

/* A window that the model itself has would be its --window: a text is read with the one that is asked for. */
static sr_status check_window(const sr_import *import, int64_t context) {
  const json_t *window = sr_folder_get(import, file, "sliding_window");
  const json_t *used = sr_folder_get(import, file, "use_sliding_window");
  if (!json_is_integer(window) || json_is_false(used) || json_integer_value(window) >= context) return SR_OK;
  return sr_fail(SR_ERR_INPUT, "%s: its layers see %" JSON_INTEGER_FORMAT " tokens, which is not read",
                 import->source.path, json_integer_value(window));
}

static sr_status read_sizes(const sr_import *import, sr_stack *s) {
  SR_TRY(sr_folder_integer(import, "vocab_size", &s->vocabulary));
  SR_TRY(sr_folder_integer(import, "hidden_size", &s->width));
  SR_TRY(sr_folder_integer(import, "num_hidden_layers", &s->layers));
  SR_TRY(sr_folder_integer(import, "num_attention_heads", &s->heads));
  SR_TRY(sr_folder_optional(import, "num_key_value_heads", s->heads, &s->kv_heads));
  SR_TRY(sr_folder_optional(import, "head_dim", s->width / s->heads, &s->head_width));
  SR_TRY(sr_folder_integer(import, "intermediate_size", &s->inner_width));
  SR_TRY(sr_folder_integer(import, "max_position_embeddings", &s->context));
  return sr_folder_real(import, "rms_norm_eps", &s->epsilon);
}

sr_status sr_folder_llama(sr_import *import, const char *type) {
  sr_stack *s = &import->description.decoder;
  size_t i = 0;
  while (i < sizeof families / sizeof *families && strcmp(families[i].type, type)) i++;
  if (i == sizeof families / sizeof *families)
    return sr_fail(SR_ERR_INPUT,
                   "%s: config.json beside it tells of a model of the type '%.40s': of folders 'bert', 'llama', "
                   "'mistral', 'qwen2', 'qwen3' and 'seqring' are read",
                   import->source.path, type);
  import->description.has_decoder = true;
  *s = (sr_stack){.embedding_scale = 1,
                  .positions = SR_POSITIONS_ROTARY,
                  .rotary_pairs = SR_PAIRS_HALVES,
                  .qkv_bias = families[i].qkv_bias || is_set(import, "attention_bias"),
                  .output_bias = is_set(import, "attention_bias"),
                  .query_key_norm = families[i].query_key_norm,
                  .causal = true,
                  .norm = SR_NORM_RMS,
                  .norm_place = SR_NORM_BEFORE,
                  .final_norm = true,
                  .gated = true,
                  .inner_bias = is_set(import, "mlp_bias"),
                  .head = is_set(import, "tie_word_embeddings") ? SR_HEAD_TIED : SR_HEAD_OWN};
  SR_TRY(read_sizes(import, s));
  SR_TRY(sr_folder_activation(import, &s->activation));
  SR_TRY(check_window(import, s->context));
  import->naming = llama;
  import->left_out = s->head == SR_HEAD_TIED ? tied_left_out : left_out;
  return read_rotary(import, s);
}
