/* What a folder says of an encoder like BERT, and of its pooling. */
#include <string.h>

#include "base/error.h"
#include "import_folder.h"

static const sr_naming bert[] = {
    {"embedding", "embeddings.word_embeddings"},
    {"positions", "embeddings.position_embeddings"},
    {"segments", "embeddings.token_type_embeddings"},
    {"embedding_norm", "embeddings.LayerNorm"},
    {"query", "encoder.layer.%d.attention.self.query"},
    {"key", "encoder.layer.%d.attention.self.key"},
    {"value", "encoder.layer.%d.attention.self.value"},
    {"output", "encoder.layer.%d.attention.output.dense"},
    {"attention_norm", "encoder.layer.%d.attention.output.LayerNorm"},
    {"up", "encoder.layer.%d.intermediate.dense"},
    {"down", "encoder.layer.%d.output.dense"},
    {"inner_norm", "encoder.layer.%d.output.LayerNorm"},
    {NULL, NULL},
};
/* Of a classifier that sentence embeddings do without. */
static const char *const bert_left_out[] = {"pooler.dense.weight", "pooler.dense.bias", NULL};

/* What is done to the hidden states of sentence embeddings, one module behind another; a dropout is of training. */
static sr_status read_modules(sr_import *import) {
  const json_t *modules = json_object_get(import->source.metadata, "modules.json");
  size_t i;
  json_t *module;
  json_array_foreach(modules, i, module) {
    const char *type = json_string_value(json_object_get(module, "type"));
    const char *path = json_string_value(json_object_get(module, "path")), *name = type ? strrchr(type, '.') : NULL;
    if (name && !strcmp(name, ".Normalize"))
      import->description.normalised = true;
    else if (!name || (strcmp(name, ".Transformer") && strcmp(name, ".Dropout") && strcmp(name, ".Pooling")) ||
             (!strcmp(name, ".Pooling") && path && strcmp(path, "1_Pooling")))
      return sr_fail(SR_ERR_INPUT, "%s: modules.json: '%.60s' in '%.60s' is not read", import->source.path,
                     type ? type : "", path ? path : "");
  }
  return SR_OK;
}

/* Tokens are pooled in one way. */
static sr_status check_pooling(const sr_import *import, const char *file) {
  const char *key;
  json_t *value;
  int ways = 0;
  json_object_foreach(json_object_get(import->source.metadata, file), key,
                      value) if (!strncmp(key, "pooling_mode_", 13) && json_is_true(value) &&
                                 ways++ > 0) return sr_folder_no_key(import, file, key);
  return SR_OK;
}

/* Sentence embeddings tell how tokens are pooled in files of their own. */
static sr_status describe_pooling(sr_import *import) {
  static const struct {
    const char *key;
    sr_pooling pooling;
  } known[] = {{"pooling_mode_mean_tokens", SR_POOLING_MEAN},
               {"pooling_mode_cls_token", SR_POOLING_FIRST},
               {"pooling_mode_lasttoken", SR_POOLING_LAST}};
  const char *file = "1_Pooling/config.json";
  SR_TRY(read_modules(import));
  if (!json_object_get(import->source.metadata, file)) return SR_OK;
  SR_TRY(check_pooling(import, file));
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (json_is_true(sr_folder_get(import, file, known[i].key))) import->description.pooling = known[i].pooling;
  return import->description.pooling != SR_POOLING_NONE ? SR_OK : sr_folder_no_key(import, file, known[0].key);
}

sr_status sr_folder_bert(sr_import *import) {
  sr_stack *s = &import->description.encoder;
  const json_t *epsilon = sr_folder_get(import, "config.json", "layer_norm_eps");
  const char *positions = json_string_value(sr_folder_get(import, "config.json", "position_embedding_type"));
  import->description.has_encoder = true;
  *s = (sr_stack){.embedding_scale = 1,
                  .embedding_norm = true,
                  .positions = SR_POSITIONS_LEARNED,
                  .rotary_base = 1,
                  .qkv_bias = true,
                  .output_bias = true,
                  .norm = SR_NORM_LAYER,
                  .norm_place = SR_NORM_AFTER,
                  .inner_bias = true};
  if (positions && strcmp(positions, "absolute"))
    return sr_folder_no_key(import, "config.json", "position_embedding_type");
  SR_TRY(sr_folder_integer(import, "vocab_size", &s->vocabulary));
  SR_TRY(sr_folder_integer(import, "hidden_size", &s->width));
  SR_TRY(sr_folder_integer(import, "num_hidden_layers", &s->layers));
  SR_TRY(sr_folder_integer(import, "num_attention_heads", &s->heads));
  SR_TRY(sr_folder_integer(import, "intermediate_size", &s->inner_width));
  SR_TRY(sr_folder_integer(import, "max_position_embeddings", &s->context));
  SR_TRY(sr_folder_integer(import, "type_vocab_size", &s->segments));
  SR_TRY(sr_folder_activation(import, &s->activation));
  if (s->width % s->heads) return sr_folder_no_key(import, "config.json", "num_attention_heads");
  if (!json_is_real(epsilon)) return sr_folder_no_key(import, "config.json", "layer_norm_eps");
  s->kv_heads = s->heads;
  s->head_width = s->width / s->heads;
  s->epsilon = json_real_value(epsilon);
  import->naming = bert;
  import->left_out = bert_left_out;
  return describe_pooling(import);
}
