#include "vocabulary_build.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "byte_alphabet.h"
#include "hash.h"

sr_status sr_vocabulary_reserve(sr_vocabulary *v, int64_t n, size_t bytes) {
  v->bytes = malloc(bytes + 1);
  v->start = calloc((size_t)n + 1, sizeof *v->start);
  v->token = calloc((size_t)n + 1, sizeof *v->token);
  return v->bytes && v->start && v->token ? SR_OK : sr_fail(SR_ERR_RESOURCE, "no memory for %" PRId64 " tokens", n);
}

sr_status sr_vocabulary_add(const char *what, sr_vocabulary *v, const char *text, size_t n, sr_token_kind kind,
                            bool in_alphabet) {
  uint8_t *to = v->bytes + v->start[v->n];
  int64_t bytes = (int64_t)n;
  if (kind == SR_TOKEN_CONTROL || !in_alphabet)
    memcpy(to, text, n);
  else if ((bytes = sr_byte_alphabet_decode(text, n, to)) < 0)
    return sr_fail(SR_ERR_INPUT, "%s: token %" PRId64 " is not written in the alphabet of bytes", what, v->n);
  v->token[v->n] = (uint8_t)kind;
  v->start[v->n + 1] = v->start[v->n] + bytes;
  v->n++;
  return SR_OK;
}

/* A token by its text in the file. */
typedef struct text_entry {
  int32_t token;
  UT_hash_handle hh;
} text_entry;

static int32_t find_text(text_entry *table, const char *text, size_t n) {
  const text_entry *e;
  HASH_FIND(hh, table, text, (unsigned)n, e);
  return e ? e->token : -1;
}

/* "a b", where a may begin with a blank. */
static bool find_both(text_entry *table, const json_t *line, int32_t *pair) {
  const char *text = json_string_value(line), *blank = text ? strchr(text + (text[0] != '\0'), ' ') : NULL;
  if (!blank) return false;
  pair[0] = find_text(table, text, (size_t)(blank - text));
  pair[1] = find_text(table, blank + 1, json_string_length(line) - (size_t)(blank + 1 - text));
  return true;
}

static bool find_pair(text_entry *table, const json_t *merge, int32_t *pair) {
  pair[0] = pair[1] = -1;
  if (json_is_string(merge)) return find_both(table, merge, pair) && pair[0] >= 0 && pair[1] >= 0;
  for (size_t i = 0; i < 2 && json_array_size(merge) == 2; i++) {
    const json_t *text = json_array_get(merge, i);
    if (json_is_string(text)) pair[i] = find_text(table, json_string_value(text), json_string_length(text));
  }
  return pair[0] >= 0 && pair[1] >= 0;
}

static sr_status add_merges(const char *what, sr_vocabulary *v, const char *const *text, const json_t *merges,
                            text_entry *entry) {
  text_entry *table = NULL;
  bool failed = false, good = true;
  size_t i;
  const json_t *merge;
  for (int64_t id = 0; id < v->n && !failed; id++) {
    if (!*text[id]) continue; /* of an id without a token */
    entry[id].token = (int32_t)id;
    HASH_ADD_KEYPTR(hh, table, text[id], (unsigned)strlen(text[id]), &entry[id]);
  }
  json_array_foreach(merges, i, merge) {
    if (failed || !good) break;
    good = find_pair(table, merge, v->merge[v->n_merges++]);
  }
  HASH_CLEAR(hh, table);
  if (failed) return sr_fail(SR_ERR_RESOURCE, "%s: no memory for its tokens", what);
  return good ? SR_OK : sr_fail(SR_ERR_INPUT, "%s: merge %zu is not of two tokens", what, i - 1);
}

sr_status sr_vocabulary_merge(const char *what, sr_vocabulary *v, const char *const *text, const json_t *merges) {
  text_entry *entry = calloc((size_t)v->n + 1, sizeof *entry);
  v->merge = calloc(json_array_size(merges) + 1, sizeof *v->merge);
  sr_status status = entry && v->merge ? add_merges(what, v, text, merges, entry)
                                       : sr_fail(SR_ERR_RESOURCE, "%s: no memory for its tokens", what);
  free(entry);
  return status;
}
