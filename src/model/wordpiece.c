#include "wordpiece.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/error.h"

enum { REPLACEMENT = 0xFFFD, UTF8_MAX = 4, PARTS_MAX = 32 };
static const char continued[] = "##"; /* in front of a token that goes on with a word */
enum { PREFIX = sizeof continued - 1 };

struct sr_wordpiece {
  const sr_vocabulary *vocabulary;
  const sr_lexicon *lexicon;
  int64_t n;       /* characters of the present word, also of those that are not kept */
  uint8_t *bytes;  /* room for the prefix, then the word */
  int32_t *start;  /* [n + 1] where its characters begin behind the prefix */
  int64_t *offset; /* [n] in the text */
};

sr_status sr_wordpiece_create(const char *what, const sr_vocabulary *v, const sr_lexicon *lexicon, sr_wordpiece **w) {
  *w = NULL;
  if (v->unknown < 0) return sr_fail(SR_ERR_INPUT, "%s: its tokenizer has no token for unknown words", what);
  const size_t longest = (size_t)v->longest_word;
  *w = calloc(1, sizeof **w);
  if (*w) {
    (*w)->vocabulary = v, (*w)->lexicon = lexicon;
    (*w)->bytes = malloc(PREFIX + UTF8_MAX * (longest + 1));
    (*w)->start = calloc(longest + 2, sizeof *(*w)->start);
    (*w)->offset = calloc(longest + 1, sizeof *(*w)->offset);
  }
  if (*w && (*w)->bytes && (*w)->start && (*w)->offset) return SR_OK;
  sr_wordpiece_destroy(w);
  return sr_fail(SR_ERR_RESOURCE, "no memory for a tokenizer");
}

void sr_wordpiece_destroy(sr_wordpiece **w) {
  if (!*w) return;
  free((*w)->bytes);
  free((*w)->start);
  free((*w)->offset);
  free(*w);
  *w = NULL;
}

/* The token of characters [from, to), and -1 when there is none. The prefix overwrites what stands before them, which
 * has become tokens already, and is put back. */
static int32_t find(sr_wordpiece *w, int64_t from, int64_t to) {
  uint8_t *bytes = w->bytes + PREFIX + w->start[from], kept[PREFIX];
  const size_t n = (size_t)(w->start[to] - w->start[from]);
  if (from == 0) return sr_lexicon_find(w->lexicon, bytes, n);
  memcpy(kept, bytes - PREFIX, PREFIX);
  memcpy(bytes - PREFIX, continued, PREFIX);
  const int32_t token = sr_lexicon_find(w->lexicon, bytes - PREFIX, n + PREFIX);
  memcpy(bytes - PREFIX, kept, PREFIX);
  return token;
}

/* The longest piece from a character on; its end, or -1. */
static int64_t longest_piece(sr_wordpiece *w, int64_t from, int32_t *token) {
  *token = -1;
  for (int64_t to = w->n; to > from; to--)
    if ((*token = find(w, from, to)) >= 0) return to;
  return -1;
}

/* Whether the whole word is made of pieces. */
static bool has_pieces(sr_wordpiece *w) {
  int32_t token;
  int64_t at = 0;
  while (at >= 0 && at < w->n) at = longest_piece(w, at, &token);
  return at >= 0;
}

sr_status sr_wordpiece_end(sr_wordpiece *w, const sr_token_sink *sink) {
  sr_status status = SR_OK;
  if (w->n == 0) return SR_OK;
  if (w->n > w->vocabulary->longest_word || !has_pieces(w)) {
    status = sink->take(sink->data, (int32_t)w->vocabulary->unknown, w->offset[0]);
  } else {
    int32_t token;
    for (int64_t at = 0, end; at < w->n && status == SR_OK; at = end) {
      end = longest_piece(w, at, &token);
      status = sink->take(sink->data, token, w->offset[at]);
    }
  }
  w->n = 0;
  return status;
}

/* One more character than the longest word has room: what follows is counted. */
static void add(sr_wordpiece *w, int32_t character, int64_t offset) {
  if (w->n <= w->vocabulary->longest_word) {
    const utf8proc_ssize_t n = utf8proc_encode_char(character, w->bytes + PREFIX + w->start[w->n]);
    w->offset[w->n] = offset;
    w->start[w->n + 1] = w->start[w->n] + (int32_t)n;
  }
  w->n++;
}

static bool is_white(int32_t c, utf8proc_category_t category) {
  return c == ' ' || (c >= '\t' && c <= '\r') || c == 0x85 || category == UTF8PROC_CATEGORY_ZS ||
         category == UTF8PROC_CATEGORY_ZL || category == UTF8PROC_CATEGORY_ZP;
}

/* Those that are removed: what is white and a control character is white to BERT where it moves the carriage. */
static bool is_control(int32_t c, utf8proc_category_t category) {
  if (c == '\t' || c == '\n' || c == '\r') return false;
  return category == UTF8PROC_CATEGORY_CC || category == UTF8PROC_CATEGORY_CF || category == UTF8PROC_CATEGORY_CS ||
         category == UTF8PROC_CATEGORY_CO;
}

static bool is_punctuation(int32_t c, utf8proc_category_t category) {
  if ((c >= 33 && c <= 47) || (c >= 58 && c <= 64) || (c >= 91 && c <= 96) || (c >= 123 && c <= 126)) return true;
  return category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_PO;
}

/* The blocks that BERT takes for Han. */
static bool is_han(int32_t c) {
  static const int32_t block[][2] = {{0x4E00, 0x9FFF},   {0x3400, 0x4DBF},   {0x20000, 0x2A6DF}, {0x2A700, 0x2B73F},
                                     {0x2B740, 0x2B81F}, {0x2B820, 0x2CEAF}, {0xF900, 0xFAFF},   {0x2F800, 0x2FA1F}};
  for (size_t i = 0; i < sizeof block / sizeof *block; i++)
    if (c >= block[i][0] && c <= block[i][1]) return true;
  return false;
}

/* A character that is a word of its own. */
static sr_status take_alone(sr_wordpiece *w, int32_t c, int64_t offset, const sr_token_sink *sink) {
  SR_TRY(sr_wordpiece_end(w, sink));
  add(w, c, offset);
  return sr_wordpiece_end(w, sink);
}

/* A character after its normalisation. */
static sr_status take_normal(sr_wordpiece *w, int32_t c, int64_t offset, const sr_token_sink *sink) {
  const utf8proc_category_t category = utf8proc_category(c);
  if (w->vocabulary->strip_accents && category == UTF8PROC_CATEGORY_MN) return SR_OK;
  if (w->vocabulary->lowercase && c == 0x130) { /* of which utf8proc's mapping of one character keeps no dot */
    add(w, 'i', offset);
    c = 0x307;
  } else if (w->vocabulary->lowercase) {
    c = utf8proc_tolower(c);
  }
  if (is_white(c, category)) return sr_wordpiece_end(w, sink);
  if (is_punctuation(c, category)) return take_alone(w, c, offset, sink);
  add(w, c, offset);
  return SR_OK;
}

/* The parts of a character, of which accents go. */
static sr_status take_parts(sr_wordpiece *w, int32_t c, int64_t offset, const sr_token_sink *sink) {
  if (!w->vocabulary->strip_accents) return take_normal(w, c, offset, sink);
  int32_t part[PARTS_MAX];
  int last_class = UTF8PROC_BOUNDCLASS_START;
  const utf8proc_ssize_t n = utf8proc_decompose_char(c, part, PARTS_MAX, UTF8PROC_DECOMPOSE, &last_class);
  for (utf8proc_ssize_t i = 0; i < n; i++) SR_TRY(take_normal(w, part[i], offset, sink));
  return SR_OK;
}

sr_status sr_wordpiece_take(sr_wordpiece *w, int32_t c, int64_t offset, const sr_token_sink *sink) {
  if (c < 0) c = REPLACEMENT;
  if (w->vocabulary->clean && (c == 0 || c == REPLACEMENT || is_control(c, utf8proc_category(c)))) return SR_OK;
  if (!w->vocabulary->split_han || !is_han(c)) return take_parts(w, c, offset, sink);
  SR_TRY(sr_wordpiece_end(w, sink));
  SR_TRY(take_parts(w, c, offset, sink));
  return sr_wordpiece_end(w, sink);
}
