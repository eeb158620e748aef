#include "vocabulary.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "fields.h"

static const char *const kinds[] = {"bpe", "wordpiece", "characters", "words", NULL};

static const sr_field fields[] = {
    SR_CHOICE(sr_vocabulary, kind, kinds),
    SR_FLAG(sr_vocabulary, whole_pieces),
    SR_FLAG(sr_vocabulary, clean),
    SR_FLAG(sr_vocabulary, split_han),
    SR_FLAG(sr_vocabulary, lowercase),
    SR_FLAG(sr_vocabulary, strip_accents),
    SR_INTEGER(sr_vocabulary, longest_word, 0, 1 << 20),
    SR_INTEGER(sr_vocabulary, unknown, -1, 1 << 24),
    SR_INTEGER(sr_vocabulary, first, -1, 1 << 24),
    SR_INTEGER(sr_vocabulary, last, -1, 1 << 24),
};
enum { FIELDS = sizeof fields / sizeof *fields };

void sr_vocabulary_free(sr_vocabulary *vocabulary) {
  free(vocabulary->bytes);
  free(vocabulary->start);
  free(vocabulary->token);
  free(vocabulary->merge);
  *vocabulary = (sr_vocabulary){0};
}

bool sr_vocabulary_is_end(const sr_vocabulary *v, int64_t token) {
  for (int64_t i = 0; i < v->n_ends; i++)
    if (v->end[i] == token) return true;
  return false;
}

static sr_status add_end(const char *what, sr_vocabulary *v, const json_t *end) {
  const int64_t token = json_is_integer(end) ? json_integer_value(end) : -2;
  if (token < -1 || token >= 1 << 24) return sr_fail(SR_ERR_INPUT, "%s: 'tokenizer.end' is out of range", what);
  if (token < 0 || sr_vocabulary_is_end(v, token)) return SR_OK;
  if (v->n_ends == SR_VOCABULARY_ENDS)
    return sr_fail(SR_ERR_INPUT, "%s: more than %d tokens end a text", what, SR_VOCABULARY_ENDS);
  v->end[v->n_ends++] = token;
  return SR_OK;
}

sr_status sr_vocabulary_add_ends(const char *what, sr_vocabulary *v, const json_t *ends) {
  if (!ends || json_is_null(ends)) return SR_OK;
  if (!json_is_array(ends)) return add_end(what, v, ends);
  for (size_t i = 0; i < json_array_size(ends); i++) SR_TRY(add_end(what, v, json_array_get(ends, i)));
  return SR_OK;
}

/* One, or -1 for none, as itself. */
static json_t *ends_to_json(const sr_vocabulary *v) {
  if (v->n_ends < 2) return json_integer(v->n_ends ? v->end[0] : -1);
  json_t *ends = json_array();
  bool good = ends != NULL;
  for (int64_t i = 0; i < v->n_ends && good; i++) good = json_array_append_new(ends, json_integer(v->end[i])) == 0;
  if (good) return ends;
  json_decref(ends);
  return NULL;
}

json_t *sr_vocabulary_to_json(const sr_vocabulary *v) {
  json_t *json = json_object(), *patterns = json_array();
  bool good = json && json_object_set_new(json, "patterns", patterns) == 0;
  good = good && json_object_set_new(json, "end", ends_to_json(v)) == 0;
  good = good && sr_fields_to_json(fields, FIELDS, v, json);
  for (int64_t i = 0; i < v->n_patterns && good; i++)
    good = json_array_append_new(patterns, json_string(v->pattern[i])) == 0;
  if (good) return json;
  json_decref(json);
  return NULL;
}

sr_status sr_vocabulary_from_json(const char *what, const json_t *json, sr_vocabulary *v) {
  const json_t *patterns = json_object_get(json, "patterns");
  SR_TRY(sr_fields_from_json(what, "tokenizer", fields, FIELDS, json, v));
  if (!json_object_get(json, "end")) return sr_fail(SR_ERR_INPUT, "%s: 'tokenizer.end' is missing", what);
  v->n_ends = 0;
  SR_TRY(sr_vocabulary_add_ends(what, v, json_object_get(json, "end")));
  if (!json_is_array(patterns) || json_array_size(patterns) > SR_VOCABULARY_PATTERNS)
    return sr_fail(SR_ERR_INPUT, "%s: 'tokenizer.patterns' is missing, or too long", what);
  v->n_patterns = (int64_t)json_array_size(patterns);
  for (int64_t i = 0; i < v->n_patterns; i++) {
    const char *pattern = json_string_value(json_array_get(patterns, (size_t)i));
    if (!pattern || strlen(pattern) >= SR_PATTERN_MAX)
      return sr_fail(SR_ERR_INPUT, "%s: 'tokenizer.patterns' holds what is no text, or too long", what);
    strcpy(v->pattern[i], pattern);
  }
  return sr_vocabulary_check(what, v);
}

static sr_status check_tokens(const char *what, const sr_vocabulary *v) {
  if (v->n < 1 || v->start[0] != 0) return sr_fail(SR_ERR_INPUT, "%s: the tokenizer has no tokens", what);
  for (int64_t i = 0; i < v->n; i++)
    if (v->start[i] > v->start[i + 1] || v->token[i] > SR_TOKEN_CONTROL)
      return sr_fail(SR_ERR_INPUT, "%s: token %" PRId64 " has an impossible length, or kind", what, i);
  return SR_OK;
}

sr_status sr_vocabulary_check(const char *what, const sr_vocabulary *v) {
  SR_TRY(check_tokens(what, v));
  SR_TRY(sr_fields_check(what, "tokenizer", fields, FIELDS, v));
  bool known = v->unknown < v->n && v->first < v->n && v->last < v->n;
  for (int64_t i = 0; i < v->n_ends; i++) known &= v->end[i] < v->n;
  if (!known) return sr_fail(SR_ERR_INPUT, "%s: the tokenizer names a token that it does not have", what);
  for (int64_t i = 0; i < v->n_merges; i++)
    for (int j = 0; j < 2; j++)
      if (v->merge[i][j] < 0 || v->merge[i][j] >= v->n)
        return sr_fail(SR_ERR_INPUT, "%s: merge %" PRId64 " is of a token that there is not", what, i);
  return SR_OK;
}
