/* Word pieces, from tokenizer.json or vocab.txt. */
#include <string.h>

#include "base/error.h"
#include "import_tokenizer.h"
#include "vocabulary_build.h"

static sr_status read_normaliser(sr_import *import, const json_t *normaliser) {
  sr_vocabulary *v = &import->vocabulary;
  if (!sr_folder_is_of_type(normaliser, "BertNormalizer"))
    return sr_folder_no_tokenizer(import, "its normalizer is not read");
  const json_t *strip = json_object_get(normaliser, "strip_accents");
  v->clean = json_is_true(json_object_get(normaliser, "clean_text"));
  v->split_han = json_is_true(json_object_get(normaliser, "handle_chinese_chars"));
  v->lowercase = json_is_true(json_object_get(normaliser, "lowercase"));
  v->strip_accents = json_is_boolean(strip) ? json_is_true(strip) : v->lowercase;
  return SR_OK;
}

static sr_status read_pieces(sr_import *import, const json_t *tokenizer) {
  sr_token_table table;
  sr_status status = sr_token_table_read(import, tokenizer, 0, &table);
  if (status == SR_OK) status = sr_token_table_add(import, &table, false);
  sr_token_table_free(&table);
  return status;
}

static sr_status read_wordpiece(sr_import *import, const json_t *tokenizer) {
  sr_vocabulary *v = &import->vocabulary;
  const json_t *model = json_object_get(tokenizer, "model");
  const char *prefix = json_string_value(json_object_get(model, "continuing_subword_prefix"));
  if (!sr_folder_is_of_type(model, "WordPiece"))
    return sr_folder_no_tokenizer(import, "its model is not of the type WordPiece");
  if (!prefix || strcmp(prefix, "##")) return sr_folder_no_tokenizer(import, "words do not go on behind '##'");
  if (!sr_folder_is_of_type(json_object_get(tokenizer, "pre_tokenizer"), "BertPreTokenizer"))
    return sr_folder_no_tokenizer(import, "its pre_tokenizer is not read");
  v->kind = SR_VOCABULARY_WORDPIECE;
  v->unknown = sr_tokenizer_id(tokenizer, json_string_value(json_object_get(model, "unk_token")));
  v->first = v->last = -1;
  v->longest_word = json_integer_value(json_object_get(model, "max_input_chars_per_word"));
  if (v->unknown < 0) return sr_folder_no_tokenizer(import, "there is no token for what is unknown");
  SR_TRY(read_normaliser(import, json_object_get(tokenizer, "normalizer")));
  SR_TRY(sr_tokenizer_ends(import, tokenizer, json_object_get(tokenizer, "post_processor")));
  return read_pieces(import, tokenizer);
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
  v->unknown = v->first = v->last = -1;
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

sr_status sr_folder_wordpiece(sr_import *import) {
  const json_t *tokenizer = json_object_get(import->source.metadata, "tokenizer.json");
  const char *list = json_string_value(json_object_get(import->source.metadata, "vocab.txt"));
  if (!tokenizer && !list)
    return sr_fail(SR_ERR_INPUT, "%s: there is no tokenizer.json and no vocab.txt beside it", import->source.path);
  return tokenizer ? read_wordpiece(import, tokenizer) : read_plain_wordpiece(import, list);
}
