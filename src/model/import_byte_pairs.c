/* Byte pairs, from tokenizer.json: Hugging Face's tokenizers of the type BPE on bytes. */
#include <string.h>

#include "base/error.h"
#include "import_tokenizer.h"
#include "vocabulary_build.h"

static bool is_missing(const json_t *json) {
  return !json || json_is_null(json) || (json_is_string(json) && json_string_length(json) == 0);
}

static sr_status add_pattern(sr_import *import, const char *pattern) {
  sr_vocabulary *v = &import->vocabulary;
  if (v->n_patterns == SR_VOCABULARY_PATTERNS || strlen(pattern) >= SR_PATTERN_MAX)
    return sr_folder_no_tokenizer(import, "its pre_tokenizer has more patterns, or a longer one, than are read");
  strcpy(v->pattern[v->n_patterns++], pattern);
  return SR_OK;
}

static sr_status add_split(sr_import *import, const json_t *step) {
  const char *pattern = json_string_value(json_object_get(json_object_get(step, "pattern"), "Regex"));
  const char *behavior = json_string_value(json_object_get(step, "behavior"));
  if (!pattern || !behavior || strcmp(behavior, "Isolated") || json_is_true(json_object_get(step, "invert")))
    return sr_folder_no_tokenizer(import, "how its pre_tokenizer splits is not read");
  return add_pattern(import, pattern);
}

/* Bytes are made letters, after the text was cut as GPT-2 does it, unless it says otherwise. */
static sr_status add_byte_level(sr_import *import, const json_t *step) {
  if (json_is_true(json_object_get(step, "add_prefix_space")))
    return sr_folder_no_tokenizer(import, "it adds a blank before a text, which is not read");
  return json_is_false(json_object_get(step, "use_regex")) ? SR_OK : add_pattern(import, SR_PATTERN_GPT2);
}

static sr_status add_step(sr_import *import, const json_t *step, bool is_last) {
  if (sr_folder_is_of_type(step, "ByteLevel") == is_last) {
    if (is_last) return add_byte_level(import, step);
    if (sr_folder_is_of_type(step, "Split")) return add_split(import, step);
    if (sr_folder_is_of_type(step, "Digits"))
      return add_pattern(import, json_is_true(json_object_get(step, "individual_digits")) ? "\\p{N}" : "\\p{N}+");
  }
  return sr_folder_no_tokenizer(import, "its pre_tokenizer is not read");
}

static sr_status read_cuts(sr_import *import, const json_t *pre) {
  const json_t *steps = json_object_get(pre, "pretokenizers"), *step;
  size_t i;
  if (!sr_folder_is_of_type(pre, "Sequence")) return add_step(import, pre, true);
  if (json_array_size(steps) == 0) return sr_folder_no_tokenizer(import, "its pre_tokenizer is not read");
  json_array_foreach(steps, i, step) SR_TRY(add_step(import, step, i + 1 == json_array_size(steps)));
  return SR_OK;
}

static sr_status read_processor(sr_import *import, const json_t *tokenizer, const json_t *processor) {
  if (is_missing(processor) || sr_folder_is_of_type(processor, "ByteLevel")) return SR_OK; /* of offsets alone */
  return sr_tokenizer_ends(import, tokenizer, processor);
}

static sr_status read_processors(sr_import *import, const json_t *tokenizer) {
  const json_t *processor = json_object_get(tokenizer, "post_processor"), *each;
  size_t i;
  if (!sr_folder_is_of_type(processor, "Sequence")) return read_processor(import, tokenizer, processor);
  json_array_foreach(json_object_get(processor, "processors"), i, each) SR_TRY(read_processor(import, tokenizer, each));
  return SR_OK;
}

static sr_status check_model(const sr_import *import, const json_t *model) {
  if (!sr_folder_is_of_type(model, "BPE")) return sr_folder_no_tokenizer(import, "its model is not of the type BPE");
  if (json_is_true(json_object_get(model, "byte_fallback")))
    return sr_folder_no_tokenizer(import, "its model is one of characters, not of bytes");
  if (!is_missing(json_object_get(model, "continuing_subword_prefix")) ||
      !is_missing(json_object_get(model, "end_of_word_suffix")) || !is_missing(json_object_get(model, "dropout")))
    return sr_folder_no_tokenizer(import, "its model has a prefix, a suffix or dropout, which are not read");
  return SR_OK;
}

static sr_status read_pairs(sr_import *import, const json_t *tokenizer) {
  const json_t *merges = json_object_get(json_object_get(tokenizer, "model"), "merges");
  sr_token_table table;
  sr_status status = sr_token_table_read(import, tokenizer, import->description.decoder.vocabulary, &table);
  if (status == SR_OK && table.n > import->description.decoder.vocabulary)
    status = sr_folder_no_tokenizer(import, "there are more tokens than the model has");
  if (status == SR_OK) status = sr_token_table_add(import, &table, true);
  if (status == SR_OK) status = sr_vocabulary_merge(import->source.path, &import->vocabulary, table.text, merges);
  sr_token_table_free(&table);
  return status;
}

/* Those of generation_config.json are of a turn in a conversation, where they differ. */
static sr_status read_ends(sr_import *import) {
  const char *const where = import->source.path;
  SR_TRY(sr_vocabulary_add_ends(where, &import->vocabulary, sr_folder_get(import, "config.json", "eos_token_id")));
  return sr_vocabulary_add_ends(where, &import->vocabulary,
                                sr_folder_get(import, "generation_config.json", "eos_token_id"));
}

/* What stands for bytes that have no token: the tokenizer's own, or what tokenizer_config.json names. */
static int64_t unknown_of(const sr_import *import, const json_t *tokenizer) {
  const json_t *own = json_object_get(json_object_get(tokenizer, "model"), "unk_token");
  const json_t *named = sr_folder_get(import, "tokenizer_config.json", "unk_token");
  if (json_is_object(named)) named = json_object_get(named, "content");
  return sr_tokenizer_id(tokenizer, json_string_value(is_missing(own) ? named : own));
}

sr_status sr_folder_byte_pairs(sr_import *import) {
  const json_t *tokenizer = json_object_get(import->source.metadata, "tokenizer.json");
  const json_t *model = json_object_get(tokenizer, "model");
  sr_vocabulary *v = &import->vocabulary;
  if (!tokenizer) return sr_fail(SR_ERR_INPUT, "%s: there is no tokenizer.json beside it", import->source.path);
  if (!is_missing(json_object_get(tokenizer, "normalizer")))
    return sr_folder_no_tokenizer(import, "its normalizer is not read");
  SR_TRY(check_model(import, model));
  v->kind = SR_VOCABULARY_BPE;
  v->whole_pieces = json_is_true(json_object_get(model, "ignore_merges"));
  v->unknown = unknown_of(import, tokenizer);
  v->first = v->last = -1;
  SR_TRY(read_ends(import));
  SR_TRY(read_cuts(import, json_object_get(tokenizer, "pre_tokenizer")));
  SR_TRY(read_processors(import, tokenizer));
  return read_pairs(import, tokenizer);
}
