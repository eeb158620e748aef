#include "tokenizer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/error.h"
#include "bpe.h"
#include "split.h"
#include "wordpiece.h"

enum { BUFFER = 64 << 10, UTF8_MAX = 4 };

struct sr_tokenizer {
  const sr_vocabulary *vocabulary;
  sr_lexicon *lexicon;
  sr_split *split;         /* BPE */
  sr_bpe *bpe;             /* BPE */
  sr_wordpiece *wordpiece; /* WordPiece */
};

/* The part of a text that is in memory. */
typedef struct window {
  sr_text *text;
  uint8_t *bytes;
  size_t n, room;
  int64_t offset; /* of its first byte */
  bool whole;     /* nothing follows */
} window;

sr_status sr_tokenizer_create(const char *what, const sr_vocabulary *v, sr_tokenizer **tokenizer) {
  sr_tokenizer *t = *tokenizer = calloc(1, sizeof *t);
  if (!t) return sr_fail(SR_ERR_RESOURCE, "no memory for a tokenizer");
  t->vocabulary = v;
  sr_status status = sr_lexicon_create(v, &t->lexicon);
  if (status == SR_OK && v->kind == SR_VOCABULARY_BPE) {
    status = sr_split_create(what, v->pattern, v->n_patterns, &t->split);
    if (status == SR_OK) status = sr_bpe_create(what, v, t->lexicon, &t->bpe);
  }
  if (status == SR_OK && v->kind == SR_VOCABULARY_WORDPIECE)
    status = sr_wordpiece_create(what, v, t->lexicon, &t->wordpiece);
  if (status != SR_OK) sr_tokenizer_destroy(tokenizer);
  return status;
}

void sr_tokenizer_destroy(sr_tokenizer **tokenizer) {
  if (!*tokenizer) return;
  sr_wordpiece_destroy(&(*tokenizer)->wordpiece);
  sr_bpe_destroy(&(*tokenizer)->bpe);
  sr_split_destroy(&(*tokenizer)->split);
  sr_lexicon_destroy(&(*tokenizer)->lexicon);
  free(*tokenizer);
  *tokenizer = NULL;
}

/* Bytes in front of a character at the end whose rest has not been read yet. */
static size_t whole_characters(const window *w) {
  size_t n = w->n;
  for (int back = 1; back < UTF8_MAX && (size_t)back <= n && !w->whole; back++) {
    const uint8_t byte = w->bytes[n - (size_t)back];
    if (byte < 0x80) break;                                                          /* a character of one byte */
    if (byte >= 0xC0) return utf8proc_utf8class[byte] > back ? n - (size_t)back : n; /* the first of several */
  }
  return n;
}

/* Tokens of the pieces that are whole. */
static sr_status take_pieces(sr_tokenizer *t, const window *w, const sr_token_sink *sink, size_t *used) {
  const size_t n = whole_characters(w);
  size_t length;
  do {
    SR_TRY(sr_split_next(t->split, w->bytes + *used, n - *used, w->whole, &length));
    if (length > 0) SR_TRY(sr_bpe_piece(t->bpe, w->bytes + *used, length, w->offset + (int64_t)*used, sink));
    *used += length;
  } while (length > 0);
  return SR_OK;
}

static bool is_blank(int32_t character) {
  return character == ' ' || (character >= '\t' && character <= '\r');
}

/* A token that was looked up; -1: there is none. */
static sr_status take_known(const sr_tokenizer *t, const window *w, int32_t token, size_t at,
                            const sr_token_sink *sink) {
  const int64_t offset = w->offset + (int64_t)at;
  if (token < 0) token = (int32_t)t->vocabulary->unknown;
  if (token < 0)
    return sr_fail(SR_ERR_INPUT, "%s: byte %" PRId64 ": no token for what is there", w->text->what, offset);
  return sink->take(sink->data, token, offset);
}

static sr_status take_character(sr_tokenizer *t, const window *w, int32_t character, size_t at, size_t bytes,
                                const sr_token_sink *sink) {
  const int64_t offset = w->offset + (int64_t)at;
  if (t->wordpiece) return sr_wordpiece_take(t->wordpiece, character, offset, sink);
  const int32_t token = sr_lexicon_find(t->lexicon, w->bytes + at, bytes);
  return token < 0 && is_blank(character) ? SR_OK : take_known(t, w, token, at, sink);
}

/* Words that have ended. */
static sr_status take_words(sr_tokenizer *t, const window *w, const sr_token_sink *sink, size_t *used) {
  for (size_t at = 0, end; at < w->n; at = end) {
    for (; at < w->n && is_blank(w->bytes[at]); at++) *used = at + 1;
    for (end = at; end < w->n && !is_blank(w->bytes[end]);) end++;
    if (end == at || (end == w->n && !w->whole)) return SR_OK;
    SR_TRY(take_known(t, w, sr_lexicon_find(t->lexicon, w->bytes + at, end - at), at, sink));
    *used = end;
  }
  return SR_OK;
}

static sr_status take_characters(sr_tokenizer *t, const window *w, const sr_token_sink *sink, size_t *used) {
  const size_t n = whole_characters(w);
  while (*used < n) {
    int32_t character;
    utf8proc_ssize_t bytes = utf8proc_iterate(w->bytes + *used, (utf8proc_ssize_t)(n - *used), &character);
    if (bytes < 1) bytes = 1, character = -1;
    SR_TRY(take_character(t, w, character, *used, (size_t)bytes, sink));
    *used += (size_t)bytes;
  }
  return w->whole && t->wordpiece ? sr_wordpiece_end(t->wordpiece, sink) : SR_OK;
}

/* Fills the window, which becomes larger when nothing in it could be used. */
static sr_status read_more(window *w) {
  if (w->n == w->room) {
    const size_t room = w->room ? 2 * w->room : BUFFER;
    uint8_t *bytes = realloc(w->bytes, room);
    if (!bytes) return sr_fail(SR_ERR_RESOURCE, "%s: no memory for a piece of %zu bytes", w->text->what, room);
    w->bytes = bytes;
    w->room = room;
  }
  size_t got;
  SR_TRY(sr_text_read(w->text, w->bytes + w->n, w->room - w->n, &got));
  w->n += got;
  w->whole = w->n < w->room;
  return SR_OK;
}

static sr_status read_all(sr_tokenizer *t, window *w, const sr_token_sink *sink) {
  while (!w->whole) {
    size_t used = 0;
    SR_TRY(read_more(w));
    const bool words = t->vocabulary->kind == SR_VOCABULARY_WORDS;
    SR_TRY((t->bpe ? take_pieces : words ? take_words : take_characters)(t, w, sink, &used));
    w->n -= used;
    w->offset += (int64_t)used;
    memmove(w->bytes, w->bytes + used, w->n);
  }
  return SR_OK;
}

sr_status sr_tokenizer_read(sr_tokenizer *t, sr_text *text, const sr_token_sink *sink) {
  const sr_vocabulary *v = t->vocabulary;
  window w = {.text = text, .offset = text->offset};
  if (t->split) sr_split_begin(t->split);
  sr_status status = v->first >= 0 ? sink->take(sink->data, (int32_t)v->first, w.offset) : SR_OK;
  if (status == SR_OK) status = read_all(t, &w, sink);
  if (status == SR_OK && v->last >= 0) status = sink->take(sink->data, (int32_t)v->last, w.offset);
  free(w.bytes);
  return status;
}
