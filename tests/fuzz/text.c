/* Any bytes as a text, through each kind of tokenizer: its tokens are in order, and those of byte pairs make the text
 * again. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "model/tokenizer.h"

#define GPT2 "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"

/* All single bytes, then these. */
static const char *const words[] = {"  ", "aa", "ab", "aab", " a", "\r\n", "\xc3\xa9", "##a", "##b", "[UNK]"};
enum { WORDS = sizeof words / sizeof *words, TOKENS = 256 + WORDS };

static sr_vocabulary make(sr_vocabulary_kind kind) {
  static int32_t merge[][2] = {{' ', ' '}, {'a', 'a'}, {'a', 'b'}, {257, 'b'}, {' ', 'a'}, {'\r', '\n'}, {0xc3, 0xa9}};
  static uint8_t bytes[TOKENS * 8], token[TOKENS];
  static int64_t start[TOKENS + 1];
  for (int i = 0; i < TOKENS; i++) {
    const size_t length = i < 256 ? 1 : strlen(words[i - 256]);
    if (i < 256)
      bytes[start[i]] = (uint8_t)i;
    else
      memcpy(bytes + start[i], words[i - 256], length);
    start[i + 1] = start[i] + (int64_t)length;
  }
  sr_vocabulary v = {.kind = kind, .n = TOKENS, .bytes = bytes, .start = start, .token = token, .merge = merge};
  v.n_merges = sizeof merge / sizeof *merge;
  v.n_patterns = 2;
  strcpy(v.pattern[0], "\\p{N}");
  strcpy(v.pattern[1], GPT2);
  v.clean = v.split_han = v.lowercase = v.strip_accents = true;
  v.longest_word = 10;
  v.unknown = TOKENS - 1;
  v.first = v.last = -1;
  return v;
}

typedef struct check {
  const sr_vocabulary *v;
  const uint8_t *text;
  int64_t size, at;
} check;

static sr_status take(void *data, int32_t token, int64_t offset) {
  check *c = data;
  const int64_t bytes = c->v->start[token + 1] - c->v->start[token];
  if (token < 0 || token >= TOKENS || offset < c->at - (c->v->kind == SR_VOCABULARY_WORDPIECE) || offset >= c->size)
    abort();
  if (c->v->kind == SR_VOCABULARY_BPE &&
      (offset != c->at || memcmp(c->text + offset, c->v->bytes + c->v->start[token], (size_t)bytes)))
    abort();
  c->at = c->v->kind == SR_VOCABULARY_BPE ? offset + bytes : offset + 1;
  return SR_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static sr_tokenizer *tokenizer[SR_VOCABULARY_WORDS + 1];
  static sr_vocabulary v[SR_VOCABULARY_WORDS + 1];
  if (size == 0) return 0;
  for (int kind = 0; kind <= SR_VOCABULARY_WORDS; kind++) {
    if (!tokenizer[kind]) {
      v[kind] = make((sr_vocabulary_kind)kind);
      if (sr_tokenizer_create("fuzz", &v[kind], &tokenizer[kind])) abort();
    }
    check c = {&v[kind], data, (int64_t)size, 0};
    sr_text text = {.paths = "", .file = fmemopen((void *)data, size, "rb"), .begins = true, .held = EOF};
    bool more;
    text.document.cut = (sr_cut)(data[0] % (SR_CUT_LINE + 1));
    text.unit.cut = (sr_cut)(size % (SR_CUT_LINE + 1));
    while (text.file && sr_text_next(&text, &more) == SR_OK && more)
      if (sr_tokenizer_read(tokenizer[kind], &text, &(sr_token_sink){take, &c})) abort();
    if (!text.file || text.offset != (int64_t)size) abort();
    if (kind == SR_VOCABULARY_BPE && c.at != (int64_t)size) abort();
    for (int64_t i = 1; i < text.units.n; i++)
      if (text.units.number[i] <= text.units.number[i - 1]) abort();
    sr_text_close(&text);
  }
  return 0;
}
