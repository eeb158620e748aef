#include "bpe.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "hash.h"

/* A pair of tokens that become one. */
typedef struct merge {
  int32_t pair[2]; /* the key */
  int32_t rank, token;
  UT_hash_handle hh;
} merge;

/* A token of a piece on its way: the merged ones are a list. */
typedef struct symbol {
  int32_t token; /* -1: it has become part of the one before */
  int32_t previous, next;
} symbol;

/* A possible merge of a symbol with the next one. It is out of date when either has changed. */
typedef struct candidate {
  int32_t rank, left, token;
  int32_t left_token, right_token;
} candidate;

struct sr_bpe {
  const sr_vocabulary *vocabulary;
  const sr_lexicon *lexicon;
  int32_t byte[256]; /* tokens of single bytes */
  merge *table, *merges;
  size_t room; /* symbols, and twice as many candidates */
  symbol *symbol;
  candidate *heap;
  size_t n_candidates;
};

static sr_status no_memory(void) {
  return sr_fail(SR_ERR_RESOURCE, "no memory to tokenise");
}

static sr_status find_bytes(const char *what, sr_bpe *bpe) {
  for (int b = 0; b < 256; b++) {
    const uint8_t byte = (uint8_t)b;
    bpe->byte[b] = sr_lexicon_find(bpe->lexicon, &byte, 1);
    if (bpe->byte[b] < 0 && (bpe->byte[b] = (int32_t)bpe->vocabulary->unknown) < 0)
      return sr_fail(SR_ERR_INPUT, "%s: no token for the byte %d, and none for what is unknown", what, b);
  }
  return SR_OK;
}

/* The token that two others make. */
static int32_t joined(const sr_bpe *bpe, const int32_t pair[2], uint8_t *room) {
  const sr_vocabulary *v = bpe->vocabulary;
  size_t n = 0;
  for (int i = 0; i < 2; i++) {
    const size_t bytes = (size_t)(v->start[pair[i] + 1] - v->start[pair[i]]);
    memcpy(room + n, v->bytes + v->start[pair[i]], bytes);
    n += bytes;
  }
  return sr_lexicon_find(bpe->lexicon, room, n);
}

static size_t longest_token(const sr_vocabulary *v) {
  int64_t longest = 1;
  for (int64_t i = 0; i < v->n; i++)
    if (v->start[i + 1] - v->start[i] > longest) longest = v->start[i + 1] - v->start[i];
  return (size_t)longest;
}

static sr_status add_merge(const char *what, sr_bpe *bpe, int32_t rank, uint8_t *room) {
  const int32_t *pair = bpe->vocabulary->merge[rank];
  merge *m = &bpe->merges[rank], *same;
  bool failed = false;
  HASH_FIND(hh, bpe->table, pair, sizeof m->pair, same);
  if (same) return SR_OK; /* the first one counts */
  *m = (merge){.pair = {pair[0], pair[1]}, .rank = rank, .token = joined(bpe, pair, room)};
  if (m->token < 0) return sr_fail(SR_ERR_INPUT, "%s: what merge %" PRId32 " makes is no token", what, rank);
  HASH_ADD(hh, bpe->table, pair, sizeof m->pair, m);
  return failed ? no_memory() : SR_OK;
}

static sr_status add_merges(const char *what, sr_bpe *bpe) {
  const sr_vocabulary *v = bpe->vocabulary;
  uint8_t *room = malloc(2 * longest_token(v));
  bpe->merges = calloc((size_t)v->n_merges + 1, sizeof *bpe->merges);
  sr_status status = room && bpe->merges ? SR_OK : no_memory();
  for (int32_t i = 0; i < v->n_merges && status == SR_OK; i++) status = add_merge(what, bpe, i, room);
  free(room);
  return status;
}

sr_status sr_bpe_create(const char *what, const sr_vocabulary *vocabulary, const sr_lexicon *lexicon, sr_bpe **bpe) {
  *bpe = calloc(1, sizeof **bpe);
  if (!*bpe) return no_memory();
  (*bpe)->vocabulary = vocabulary;
  (*bpe)->lexicon = lexicon;
  sr_status status = find_bytes(what, *bpe);
  if (status == SR_OK) status = add_merges(what, *bpe);
  if (status != SR_OK) sr_bpe_destroy(bpe);
  return status;
}

void sr_bpe_destroy(sr_bpe **bpe) {
  if (!*bpe) return;
  HASH_CLEAR(hh, (*bpe)->table);
  free((*bpe)->merges);
  free((*bpe)->symbol);
  free((*bpe)->heap);
  free(*bpe);
  *bpe = NULL;
}

/* Every symbol is a candidate's left one at first, and each merge makes at most two more. */
static sr_status make_room(sr_bpe *bpe, size_t n) {
  if (n <= bpe->room) return SR_OK;
  if (n > INT32_MAX) return sr_fail(SR_ERR_RESOURCE, "a piece of %zu bytes without a place to cut it", n);
  free(bpe->symbol);
  free(bpe->heap);
  bpe->symbol = malloc(n * sizeof *bpe->symbol);
  bpe->heap = malloc(3 * n * sizeof *bpe->heap);
  bpe->room = bpe->symbol && bpe->heap ? n : 0;
  return bpe->room ? SR_OK : no_memory();
}

/* The lowest rank first, and of one rank the leftmost. */
static bool before(const candidate *a, const candidate *b) {
  return a->rank < b->rank || (a->rank == b->rank && a->left < b->left);
}

static void push(sr_bpe *bpe, const candidate *c) {
  size_t i = bpe->n_candidates++;
  for (; i > 0 && before(c, &bpe->heap[(i - 1) / 2]); i = (i - 1) / 2) bpe->heap[i] = bpe->heap[(i - 1) / 2];
  bpe->heap[i] = *c;
}

static candidate pop(sr_bpe *bpe) {
  const candidate top = bpe->heap[0], last = bpe->heap[--bpe->n_candidates];
  size_t i = 0;
  for (size_t child; (child = 2 * i + 1) < bpe->n_candidates; i = child) {
    if (child + 1 < bpe->n_candidates && before(&bpe->heap[child + 1], &bpe->heap[child])) child++;
    if (!before(&bpe->heap[child], &last)) break;
    bpe->heap[i] = bpe->heap[child];
  }
  bpe->heap[i] = last;
  return top;
}

/* Makes a symbol and the next one a candidate, if they can be merged. */
static void consider(sr_bpe *bpe, int32_t left) {
  if (left < 0 || bpe->symbol[left].next < 0) return;
  const int32_t pair[2] = {bpe->symbol[left].token, bpe->symbol[bpe->symbol[left].next].token};
  const merge *m;
  HASH_FIND(hh, bpe->table, pair, sizeof pair, m);
  if (m) push(bpe, &(candidate){m->rank, left, m->token, pair[0], pair[1]});
}

static void merge_all(sr_bpe *bpe) {
  symbol *s = bpe->symbol;
  while (bpe->n_candidates > 0) {
    const candidate c = pop(bpe);
    const int32_t right = s[c.left].next;
    if (s[c.left].token != c.left_token || right < 0 || s[right].token != c.right_token) continue;
    s[c.left].token = c.token;
    s[c.left].next = s[right].next;
    s[right].token = -1;
    if (s[right].next >= 0) s[s[right].next].previous = c.left;
    consider(bpe, s[c.left].previous);
    consider(bpe, c.left);
  }
}

sr_status sr_bpe_piece(sr_bpe *bpe, const uint8_t *bytes, size_t n, int64_t offset, const sr_token_sink *sink) {
  const int32_t whole = bpe->vocabulary->whole_pieces ? sr_lexicon_find(bpe->lexicon, bytes, n) : -1;
  if (whole >= 0) return sink->take(sink->data, whole, offset);
  SR_TRY(make_room(bpe, n));
  for (int32_t i = 0; i < (int32_t)n; i++)
    bpe->symbol[i] = (symbol){bpe->byte[bytes[i]], i - 1, i + 1 < (int32_t)n ? i + 1 : -1};
  bpe->n_candidates = 0;
  for (int32_t i = 0; i < (int32_t)n; i++) consider(bpe, i);
  merge_all(bpe);
  for (int32_t i = 0; i >= 0; i = bpe->symbol[i].next) SR_TRY(sink->take(sink->data, bpe->symbol[i].token, offset + i));
  return SR_OK;
}
