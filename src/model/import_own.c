/* A folder that says of its model what seqring's own model files do: for models of no common format, which a script
 * turns into it. config.json has "model_type": "seqring", "license", "description" and "tokenizer", and
 * "source_tokenizer" where there are an encoder and a decoder, as model files have them (description.h, vocabulary.h);
 * a tokenizer besides that its "tokens", texts in the order of their ids, and "control", ids of those that no text
 * becomes. Tensors have the names of weights. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "import.h"
#include "model_names.h"
#include "vocabulary_build.h"

static sr_status no_tokens(const sr_import *import, const char *key) {
  return sr_fail(SR_ERR_INPUT, "%s: in config.json beside it the tokens of '%s' are missing, or not possible",
                 import->source.path, key);
}

/* Bytes of all texts; false where one is none. */
static bool count_bytes(const json_t *tokens, size_t *bytes) {
  size_t i;
  const json_t *token;
  *bytes = 0;
  json_array_foreach(tokens, i, token) {
    if (!json_is_string(token)) return false;
    *bytes += json_string_length(token);
  }
  return json_array_size(tokens) > 0;
}

static sr_status mark_control(const sr_import *import, const char *key, const json_t *control, sr_vocabulary *v) {
  size_t i;
  const json_t *id;
  json_array_foreach(control, i, id) {
    const json_int_t number = json_is_integer(id) ? json_integer_value(id) : -1;
    if (number < 0 || number >= v->n) return no_tokens(import, key);
    v->token[number] = SR_TOKEN_CONTROL;
  }
  return SR_OK;
}

static sr_status read_vocabulary(const sr_import *import, const json_t *config, const char *key, sr_vocabulary *v) {
  const json_t *json = json_object_get(config, key), *tokens = json_object_get(json, "tokens"), *token;
  size_t bytes, i;
  if (!count_bytes(tokens, &bytes)) return no_tokens(import, key);
  SR_TRY(sr_vocabulary_reserve(v, (int64_t)json_array_size(tokens), bytes));
  json_array_foreach(tokens, i, token) SR_TRY(sr_vocabulary_add(import->source.path, v, json_string_value(token),
                                                                json_string_length(token), SR_TOKEN_NORMAL, false));
  SR_TRY(mark_control(import, key, json_object_get(json, "control"), v));
  return sr_vocabulary_from_json(import->source.path, json, v);
}

sr_status sr_import_own(sr_import *import) {
  const json_t *config = json_object_get(import->source.metadata, "config.json");
  sr_description *d = &import->description;
  SR_TRY(sr_description_from_json(import->source.path, json_object_get(config, "description"), d));
  import->license = json_string_value(json_object_get(config, "license"));
  SR_TRY(read_vocabulary(import, config, SR_MODEL_TOKENIZER, &import->vocabulary));
  if (!d->has_encoder || !d->has_decoder) return SR_OK;
  return read_vocabulary(import, config, SR_MODEL_SOURCE_TOKENIZER, &import->source_vocabulary);
}
