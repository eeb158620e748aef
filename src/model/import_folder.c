/* What a folder of Hugging Face's says of an encoder like BERT, of its pooling, and of its word pieces. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "import.h"
#include "vocabulary_build.h"

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

static const json_t *get(const sr_import *import, const char *file, const char *key) {
  return json_object_get(json_object_get(import->source.metadata, file), key);
}

static sr_status no_key(const sr_import *import, const char *file, const char *key) {
  return sr_fail(SR_ERR_INPUT, "%s: in %s beside it '%s' is missing, or not possible", import->source.path, file, key);
}

static sr_status get_integer(const sr_import *import, const char *key, int64_t *value) {
  const json_t *json = get(import, "config.json", key);
  if (!json_is_integer(json) || json_integer_value(json) < 1) return no_key(import, "config.json", key);
  *value = json_integer_value(json);
  return SR_OK;
}

static sr_status get_activation(const sr_import *import, sr_activation *activation) {
  static const struct {
    const char *name;
    sr_activation activation;
  } known[] = {{"relu", SR_ACTIVATION_RELU},
               {"gelu", SR_ACTIVATION_GELU},
               {"gelu_new", SR_ACTIVATION_GELU_TANH},
               {"gelu_pytorch_tanh", SR_ACTIVATION_GELU_TANH},
               {"silu", SR_ACTIVATION_SILU}};
  const char *name = json_string_value(get(import, "config.json", "hidden_act"));
  for (size_t i = 0; name && i < sizeof known / sizeof *known; i++)
    if (!strcmp(known[i].name, name)) {
      *activation = known[i].activation;
      return SR_OK;
    }
  return no_key(import, "config.json", "hidden_act");
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
  const json_t *modules = json_object_get(import->source.metadata, "modules.json");
  size_t i;
  json_t *module;
  json_array_foreach(modules, i, module) {
    const char *type = json_string_value(json_object_get(module, "type"));
    if (type && strstr(type, ".Normalize")) import->description.normalised = true;
  }
  if (!json_object_get(import->source.metadata, file)) return SR_OK;
  for (i = 0; i < sizeof known / sizeof *known; i++)
    if (json_is_true(get(import, file, known[i].key))) {
      if (import->description.pooling != SR_POOLING_NONE) return no_key(import, file, known[i].key);
      import->description.pooling = known[i].pooling;
    }
  return import->description.pooling != SR_POOLING_NONE ? SR_OK : no_key(import, file, known[0].key);
}

static sr_status describe_bert(sr_import *import) {
  sr_stack *s = &import->description.encoder;
  const json_t *epsilon = get(import, "config.json", "layer_norm_eps");
  const char *positions = json_string_value(get(import, "config.json", "position_embedding_type"));
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
  if (positions && strcmp(positions, "absolute")) return no_key(import, "config.json", "position_embedding_type");
  SR_TRY(get_integer(import, "vocab_size", &s->vocabulary));
  SR_TRY(get_integer(import, "hidden_size", &s->width));
  SR_TRY(get_integer(import, "num_hidden_layers", &s->layers));
  SR_TRY(get_integer(import, "num_attention_heads", &s->heads));
  SR_TRY(get_integer(import, "intermediate_size", &s->inner_width));
  SR_TRY(get_integer(import, "max_position_embeddings", &s->context));
  SR_TRY(get_integer(import, "type_vocab_size", &s->segments));
  SR_TRY(get_activation(import, &s->activation));
  if (s->width % s->heads) return no_key(import, "config.json", "num_attention_heads");
  if (!json_is_real(epsilon)) return no_key(import, "config.json", "layer_norm_eps");
  s->kv_heads = s->heads;
  s->head_width = s->width / s->heads;
  s->epsilon = json_real_value(epsilon);
  import->naming = bert;
  import->left_out = bert_left_out;
  return describe_pooling(import);
}

static bool is_of_type(const json_t *json, const char *type) {
  const char *found = json_string_value(json_object_get(json, "type"));
  return found && !strcmp(found, type);
}

static sr_status no_tokenizer(const sr_import *import, const char *why) {
  return sr_fail(SR_ERR_INPUT, "%s: in tokenizer.json beside it: %s", import->source.path, why);
}

/* The texts of a table {text: id}, by id; those of special tokens are not to be found in texts. */
static sr_status read_tokens(sr_import *import, const json_t *table, const json_t *added) {
  const int64_t n = (int64_t)json_object_size(table);
  const char **text = calloc((size_t)n + 1, sizeof *text), *key;
  uint8_t *kind = calloc((size_t)n + 1, 1);
  size_t bytes = 0, i;
  json_t *value;
  sr_status status =
      text && kind ? SR_OK : sr_fail(SR_ERR_RESOURCE, "%s: no memory for its tokens", import->source.path);
  if (status == SR_OK) json_object_foreach((json_t *)table, key, value) {
      const json_int_t id = json_integer_value(value);
      if (!json_is_integer(value) || id < 0 || id >= n || text[id])
        status = no_tokenizer(import, "ids of tokens are not 0, 1, 2, ...");
      if (status != SR_OK) break;
      text[id] = key;
      bytes += strlen(key);
    }
  if (status == SR_OK) json_array_foreach(added, i, value) {
      const json_int_t id = json_integer_value(json_object_get(value, "id"));
      if (id >= 0 && id < n && json_is_true(json_object_get(value, "special"))) kind[id] = SR_TOKEN_CONTROL;
    }
  if (status == SR_OK) status = sr_vocabulary_reserve(&import->vocabulary, n, bytes);
  for (int64_t id = 0; id < n && status == SR_OK; id++)
    status = sr_vocabulary_add(import->source.path, &import->vocabulary, text[id], strlen(text[id]),
                               (sr_token_kind)kind[id], false);
  free(text);
  free(kind);
  return status;
}

/* The token at an end of a text's template; -1 where the text itself stands there. */
static sr_status read_end(const sr_import *import, const json_t *table, const json_t *step, int64_t *token) {
  const json_t *special = json_object_get(step, "SpecialToken");
  const char *text = json_string_value(json_object_get(special, "id"));
  *token = -1;
  if (!special) return SR_OK;
  const json_t *id = text ? json_object_get(table, text) : NULL;
  if (!id) return no_tokenizer(import, "what stands at the ends of a text is no token");
  *token = json_integer_value(id);
  return SR_OK;
}

static sr_status read_ends(sr_import *import, const json_t *table, const json_t *processor) {
  const json_t *single = json_object_get(processor, "single");
  const size_t n = json_array_size(single);
  if (!is_of_type(processor, "TemplateProcessing") || n < 1 || n > 3)
    return no_tokenizer(import, "its post_processor is not read");
  import->vocabulary.end = -1;
  SR_TRY(read_end(import, table, json_array_get(single, 0), &import->vocabulary.first));
  return read_end(import, table, json_array_get(single, n - 1), &import->vocabulary.last);
}

static sr_status read_normaliser(sr_import *import, const json_t *normaliser) {
  sr_vocabulary *v = &import->vocabulary;
  if (!is_of_type(normaliser, "BertNormalizer")) return no_tokenizer(import, "its normalizer is not read");
  const json_t *strip = json_object_get(normaliser, "strip_accents");
  v->clean = json_is_true(json_object_get(normaliser, "clean_text"));
  v->split_han = json_is_true(json_object_get(normaliser, "handle_chinese_chars"));
  v->lowercase = json_is_true(json_object_get(normaliser, "lowercase"));
  v->strip_accents = json_is_boolean(strip) ? json_is_true(strip) : v->lowercase;
  return SR_OK;
}

static sr_status read_wordpiece(sr_import *import, const json_t *tokenizer) {
  sr_vocabulary *v = &import->vocabulary;
  const json_t *model = json_object_get(tokenizer, "model"), *table = json_object_get(model, "vocab");
  const char *prefix = json_string_value(json_object_get(model, "continuing_subword_prefix"));
  const char *unknown = json_string_value(json_object_get(model, "unk_token"));
  const json_t *id = unknown ? json_object_get(table, unknown) : NULL;
  if (!is_of_type(model, "WordPiece")) return no_tokenizer(import, "its model is not of the type WordPiece");
  if (!prefix || strcmp(prefix, "##")) return no_tokenizer(import, "words do not go on behind '##'");
  if (!is_of_type(json_object_get(tokenizer, "pre_tokenizer"), "BertPreTokenizer"))
    return no_tokenizer(import, "its pre_tokenizer is not read");
  if (!json_is_integer(id)) return no_tokenizer(import, "there is no token for what is unknown");
  v->kind = SR_VOCABULARY_WORDPIECE;
  v->unknown = json_integer_value(id);
  v->longest_word = json_integer_value(json_object_get(model, "max_input_chars_per_word"));
  SR_TRY(read_normaliser(import, json_object_get(tokenizer, "normalizer")));
  SR_TRY(read_ends(import, table, json_object_get(tokenizer, "post_processor")));
  return read_tokens(import, table, json_object_get(tokenizer, "added_tokens"));
}

/* BERT's tokens that no text becomes. */
static const char *const special[] = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
enum { UNKNOWN = 1, FIRST = 2, LAST = 3, SPECIAL = sizeof special / sizeof *special };

/* Which of them a token of vocab.txt is, or SPECIAL. */
static int special_of(const char *token, size_t n) {
  int i = 0;
  while (i < SPECIAL && (strlen(special[i]) != n || memcmp(special[i], token, n))) i++;
  return i;
}

/* Tokens of vocab.txt, a line each. */
static sr_status read_list(sr_import *import, const char *text) {
  sr_vocabulary *v = &import->vocabulary;
  int64_t lines = 0;
  for (const char *c = text; *c; c++) lines += *c == '\n';
  SR_TRY(sr_vocabulary_reserve(v, lines + 1, strlen(text)));
  v->unknown = v->first = v->last = v->end = -1;
  for (size_t n; *text; text += n + (text[n] == '\n')) {
    n = strcspn(text, "\n");
    const size_t length = n > 0 && text[n - 1] == '\r' ? n - 1 : n;
    const int which = special_of(text, length);
    if (which == UNKNOWN) v->unknown = v->n;
    if (which == FIRST) v->first = v->n;
    if (which == LAST) v->last = v->n;
    const sr_token_kind kind = which < SPECIAL ? SR_TOKEN_CONTROL : SR_TOKEN_NORMAL;
    SR_TRY(sr_vocabulary_add(import->source.path, v, text, length, kind, false));
  }
  if (v->unknown < 0 || v->first < 0 || v->last < 0)
    return sr_fail(SR_ERR_INPUT, "%s: in vocab.txt beside it there is no [UNK], [CLS] or [SEP]", import->source.path);
  return SR_OK;
}

/* Word pieces without a tokenizer.json: a list of tokens, and BERT's rules but for what tokenizer_config.json says. */
static sr_status read_plain_wordpiece(sr_import *import, const char *text) {
  sr_vocabulary *v = &import->vocabulary;
  const json_t *config = json_object_get(import->source.metadata, "tokenizer_config.json");
  const json_t *strip = json_object_get(config, "strip_accents");
  v->kind = SR_VOCABULARY_WORDPIECE;
  v->longest_word = 100;
  v->clean = true;
  v->split_han = !json_is_false(json_object_get(config, "tokenize_chinese_chars"));
  v->lowercase = !json_is_false(json_object_get(config, "do_lower_case"));
  v->strip_accents = json_is_boolean(strip) ? json_is_true(strip) : v->lowercase;
  return read_list(import, text);
}

sr_status sr_import_folder(sr_import *import) {
  const char *type = json_string_value(get(import, "config.json", "model_type"));
  const json_t *tokenizer = json_object_get(import->source.metadata, "tokenizer.json");
  if (type && !strcmp(type, "seqring")) return sr_import_own(import);
  if (!type || strcmp(type, "bert"))
    return sr_fail(
        SR_ERR_INPUT,
        "%s: config.json beside it tells of a model of the type '%.40s': of folders 'bert' and 'seqring' are "
        "read",
        import->source.path, type ? type : "unknown");
  const char *list = json_string_value(json_object_get(import->source.metadata, "vocab.txt"));
  if (!tokenizer && !list)
    return sr_fail(SR_ERR_INPUT, "%s: there is no tokenizer.json and no vocab.txt beside it", import->source.path);
  SR_TRY(tokenizer ? read_wordpiece(import, tokenizer) : read_plain_wordpiece(import, list));
  return describe_bert(import);
}
