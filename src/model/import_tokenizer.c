#include "import_tokenizer.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "vocabulary_build.h"

sr_status sr_folder_no_tokenizer(const sr_import *import, const char *why) {
  return sr_fail(SR_ERR_INPUT, "%s: in tokenizer.json beside it: %s", import->source.path, why);
}

static const json_t *table_of(const json_t *tokenizer) {
  return json_object_get(json_object_get(tokenizer, "model"), "vocab");
}

/* Models have more ids than tokens, so that these are a round number. */
enum { MOST_GAPS = 1 << 16 };

static int64_t count(const json_t *table, const json_t *added) {
  int64_t n = (int64_t)json_object_size(table);
  size_t i;
  const json_t *token;
  json_array_foreach(added, i, token) {
    const char *text = json_string_value(json_object_get(token, "content"));
    n += text && !json_object_get(table, text);
  }
  return n;
}

static sr_status bad_id(const sr_import *import) {
  return sr_folder_no_tokenizer(import, "ids of tokens are not 0, 1, 2, ...");
}

static sr_status put(const sr_import *import, const char *text, const json_t *id, sr_token_kind kind,
                     sr_token_table *table) {
  const json_int_t number = json_is_integer(id) ? json_integer_value(id) : -1;
  if (!text || number < 0 || number >= table->n) return bad_id(import);
  if (table->text[number] && strcmp(table->text[number], text)) return bad_id(import);
  table->text[number] = text;
  table->kind[number] = (uint8_t)kind;
  return SR_OK;
}

/* Those that are added are found in texts before anything else: special ones are not to be found at all. */
static sr_status put_added(const sr_import *import, const json_t *added, sr_token_table *table) {
  size_t i;
  const json_t *token;
  json_array_foreach(added, i, token) {
    if (!json_is_true(json_object_get(token, "special")))
      return sr_folder_no_tokenizer(import, "a token is added that is not special, which is not read");
    SR_TRY(put(import, json_string_value(json_object_get(token, "content")), json_object_get(token, "id"),
               SR_TOKEN_CONTROL, table));
  }
  return SR_OK;
}

static sr_status check_gaps(const sr_import *import, int64_t n_least, sr_token_table *table) {
  for (int64_t id = 0; id < table->n; id++) {
    if (table->text[id]) continue;
    if (n_least == 0) return bad_id(import);
    table->text[id] = "";
    table->kind[id] = SR_TOKEN_CONTROL;
  }
  return SR_OK;
}

sr_status sr_token_table_read(const sr_import *import, const json_t *tokenizer, int64_t n_least,
                              sr_token_table *table) {
  const json_t *texts = table_of(tokenizer), *added = json_object_get(tokenizer, "added_tokens");
  const char *text;
  json_t *id;
  *table = (sr_token_table){.n = count(texts, added)};
  if (n_least - table->n > MOST_GAPS) return sr_folder_no_tokenizer(import, "it has far fewer tokens than the model");
  if (table->n < n_least) table->n = n_least;
  table->text = calloc((size_t)table->n + 1, sizeof *table->text);
  table->kind = calloc((size_t)table->n + 1, sizeof *table->kind);
  if (!table->text || !table->kind)
    return sr_fail(SR_ERR_RESOURCE, "%s: no memory for its tokens", import->source.path);
  json_object_foreach((json_t *)texts, text, id) SR_TRY(put(import, text, id, SR_TOKEN_NORMAL, table));
  SR_TRY(put_added(import, added, table));
  return check_gaps(import, n_least, table);
}

void sr_token_table_free(sr_token_table *table) {
  free(table->text);
  free(table->kind);
  *table = (sr_token_table){0};
}

sr_status sr_token_table_add(sr_import *import, const sr_token_table *table, bool in_alphabet) {
  size_t bytes = 0;
  for (int64_t id = 0; id < table->n; id++) bytes += strlen(table->text[id]);
  SR_TRY(sr_vocabulary_reserve(&import->vocabulary, table->n, bytes));
  for (int64_t id = 0; id < table->n; id++)
    SR_TRY(sr_vocabulary_add(import->source.path, &import->vocabulary, table->text[id], strlen(table->text[id]),
                             (sr_token_kind)table->kind[id], in_alphabet));
  return SR_OK;
}

int64_t sr_tokenizer_id(const json_t *tokenizer, const char *text) {
  size_t i;
  const json_t *token, *id = text ? json_object_get(table_of(tokenizer), text) : NULL;
  json_array_foreach(json_object_get(tokenizer, "added_tokens"), i, token) {
    const char *content = json_string_value(json_object_get(token, "content"));
    if (text && content && !strcmp(content, text)) id = json_object_get(token, "id");
  }
  return json_is_integer(id) ? json_integer_value(id) : -1;
}

/* A token of a text's template. Errors: SR_ERR_INPUT. */
static sr_status read_end(const sr_import *import, const json_t *tokenizer, const json_t *step, int64_t *token) {
  const json_t *special = json_object_get(step, "SpecialToken");
  *token = sr_tokenizer_id(tokenizer, json_string_value(json_object_get(special, "id")));
  return *token >= 0 ? SR_OK : sr_folder_no_tokenizer(import, "what stands at the ends of a text is no token");
}

/* Where the text itself stands in a template that has it once, with a token before it and one behind it at most; -1 for
 * others. */
static int64_t find_text(const json_t *single) {
  const size_t n = json_array_size(single);
  int64_t at = -1;
  for (size_t i = 0; i < n; i++)
    if (json_object_get(json_array_get(single, i), "Sequence")) at = at < 0 ? (int64_t)i : INT64_MAX;
  return at <= 1 && (int64_t)n - at <= 2 ? at : -1;
}

sr_status sr_tokenizer_ends(sr_import *import, const json_t *tokenizer, const json_t *processor) {
  const json_t *single = json_object_get(processor, "single");
  const int64_t text = find_text(single);
  sr_vocabulary *v = &import->vocabulary;
  if (!sr_folder_is_of_type(processor, "TemplateProcessing") || text < 0 || v->first >= 0 || v->last >= 0)
    return sr_folder_no_tokenizer(import, "its post_processor is not read");
  if (text == 1) SR_TRY(read_end(import, tokenizer, json_array_get(single, 0), &v->first));
  if (text + 1 == (int64_t)json_array_size(single)) return SR_OK;
  return read_end(import, tokenizer, json_array_get(single, (size_t)text + 1), &v->last);
}
