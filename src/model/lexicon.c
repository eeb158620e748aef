#include "lexicon.h"

#include <limits.h>
#include <stdlib.h>

#include "base/error.h"
#include "hash.h"

typedef struct entry {
  int32_t token;
  UT_hash_handle hh;
} entry;

struct sr_lexicon {
  entry *table;
  entry entry[];
};

/* The first of several tokens of the same bytes counts. */
static bool add(sr_lexicon *lexicon, const sr_vocabulary *v, int32_t token) {
  const uint8_t *bytes = v->bytes + v->start[token];
  const size_t n = (size_t)(v->start[token + 1] - v->start[token]);
  entry *e = &lexicon->entry[token];
  bool failed = false;
  if (n == 0 || v->token[token] != SR_TOKEN_NORMAL || sr_lexicon_find(lexicon, bytes, n) >= 0) return true;
  e->token = token;
  HASH_ADD_KEYPTR(hh, lexicon->table, bytes, (unsigned)n, e);
  return !failed;
}

sr_status sr_lexicon_create(const sr_vocabulary *v, sr_lexicon **lexicon) {
  *lexicon = calloc(1, sizeof **lexicon + (size_t)v->n * sizeof(entry));
  bool good = *lexicon != NULL;
  for (int32_t i = 0; i < v->n && good; i++) good = add(*lexicon, v, i);
  if (good) return SR_OK;
  sr_lexicon_destroy(lexicon);
  return sr_fail(SR_ERR_RESOURCE, "no memory for a tokenizer");
}

void sr_lexicon_destroy(sr_lexicon **lexicon) {
  if (*lexicon) HASH_CLEAR(hh, (*lexicon)->table);
  free(*lexicon);
  *lexicon = NULL;
}

int32_t sr_lexicon_find(const sr_lexicon *lexicon, const uint8_t *bytes, size_t n) {
  const entry *e;
  if (n > UINT_MAX) return -1; /* more than uthash counts */
  HASH_FIND(hh, lexicon->table, bytes, (unsigned)n, e);
  return e ? e->token : -1;
}
