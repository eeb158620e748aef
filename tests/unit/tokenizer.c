/* From text to tokens: pieces, merges, word pieces; and that it does not matter in which parts a text comes. */
#include "model/tokenizer.h"

#include <stdlib.h>
#include <string.h>

#include "model/byte_alphabet.h"
#include "model/lexicon.h"
#include "model/split.h"
#include "suite.h"

#define GPT2 "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"

/* A vocabulary of words that are given, behind all single bytes where they are asked for. */
static sr_vocabulary vocabulary_of(sr_vocabulary_kind kind, bool bytes, const char *const *word, int64_t n) {
  const int64_t first = bytes ? 256 : 0;
  sr_vocabulary v = {.kind = kind, .n = first + n, .unknown = -1, .first = -1, .last = -1, .longest_word = 100};
  v.bytes = malloc(4096);
  v.start = calloc((size_t)v.n + 1, sizeof *v.start);
  v.token = calloc((size_t)v.n, sizeof *v.token);
  for (int64_t i = 0; i < v.n; i++) {
    const size_t length = i < first ? 1 : strlen(word[i - first]);
    uint8_t *to = v.bytes + v.start[i];
    if (i < first)
      *to = (uint8_t)i;
    else
      memcpy(to, word[i - first], length);
    v.start[i + 1] = v.start[i] + (int64_t)length;
  }
  return v;
}

typedef struct tokens {
  int64_t n;
  int32_t id[4096];
  int64_t offset[4096];
} tokens;

static sr_status keep(void *data, int32_t id, int64_t offset) {
  tokens *t = data;
  if (t->n == 4096) return SR_ERR_RESOURCE;
  t->id[t->n] = id;
  t->offset[t->n++] = offset;
  return SR_OK;
}

/* A text in memory. */
static sr_text text_of(const void *bytes, size_t n, sr_cut document, sr_cut unit) {
  return (sr_text){.paths = "",
                   .file = n > 0 ? fmemopen((void *)bytes, n, "rb") : tmpfile(),
                   .begins = true,
                   .document.cut = document,
                   .unit.cut = unit,
                   .held = EOF};
}

static sr_status tokenise(const sr_vocabulary *v, const void *text, size_t n, tokens *t) {
  sr_tokenizer *tokenizer;
  t->n = 0;
  sr_status status = sr_tokenizer_create("model", v, &tokenizer);
  sr_text file = text_of(text, n, SR_CUT_NEVER, SR_CUT_NEVER);
  bool more;
  if (status == SR_OK) status = sr_text_next(&file, &more);
  if (status == SR_OK) status = sr_tokenizer_read(tokenizer, &file, &(sr_token_sink){keep, t});
  sr_text_close(&file);
  sr_tokenizer_destroy(&tokenizer);
  return status;
}

/* id,offset pairs */
static void check(const sr_vocabulary *v, const char *text, int n, const int64_t (*want)[2]) {
  static tokens t;
  CU_ASSERT_EQUAL(tokenise(v, text, strlen(text), &t), SR_OK);
  CU_ASSERT_EQUAL(t.n, n);
  for (int i = 0; i < n && i < t.n; i++) CU_ASSERT(t.id[i] == want[i][0] && t.offset[i] == want[i][1]);
}

/* Lengths of the pieces of a text that comes in parts of `known` bytes, and of what a character lacks then. */
static int pieces_of(const char (*pattern)[512], int64_t n_patterns, const uint8_t *text, size_t n, size_t known,
                     size_t *length) {
  sr_split *split;
  int n_pieces = 0;
  size_t at = 0, seen = 0;
  CU_ASSERT_EQUAL_FATAL(sr_split_create("model", pattern, n_patterns, &split), SR_OK);
  sr_split_begin(split);
  while (at < n) {
    size_t piece;
    CU_ASSERT_EQUAL_FATAL(sr_split_next(split, text + at, seen - at, seen == n, &piece), SR_OK);
    if (piece > 0) {
      length[n_pieces++] = piece;
      at += piece;
    } else {
      CU_ASSERT_FATAL(seen < n);
      do seen = seen + known < n ? seen + known : n;
      while (seen < n && (text[seen] & 0xC0) == 0x80);
    }
  }
  sr_split_destroy(&split);
  return n_pieces;
}

/* As the package tokenizers cuts it, besides the two bytes that are no UTF-8. */
static void pieces(void) {
  static const char patterns[2][512] = {"\\p{N}", GPT2};
  static const char text[] = "I'll  see 12 of\n\n 3 \xc3\xa9t\xc3\xa9s\xe2\x80\x83! 'tis\xff\xfe 7   ";
  static const size_t want[] = {1, 3, 1, 4, 1, 1, 1, 3, 3, 1, 7, 3, 1, 2, 3, 2, 1, 1, 3};
  size_t length[64];
  const int n = pieces_of(patterns, 2, (const uint8_t *)text, sizeof text - 1, 1000, length);
  CU_ASSERT(n == sizeof want / sizeof *want && memcmp(length, want, sizeof want) == 0);
}

/* Marks that combine are of words, as they are to Oniguruma. */
static void words(void) {
  static const char pattern[1][512] = {"\\w+|[^\\w\\s]+|\\s+"};
  static const char text[] = "\xe0\xa4\x95\xe0\xa5\x8d\xe0\xa4\xb7\xe0\xa4\xbf. e\xcc\x81_2!";
  static const size_t want[] = {12, 1, 1, 5, 1};
  size_t length[64];
  const int n = pieces_of(pattern, 1, (const uint8_t *)text, sizeof text - 1, 1000, length);
  CU_ASSERT(n == sizeof want / sizeof *want && memcmp(length, want, sizeof want) == 0);
}

/* Any text, in parts of any size. */
static void parts(void) {
  static const char patterns[2][512] = {"\\p{N}", GPT2};
  static const char *const bits[] = {" ",  "  ", "\n",           "a",        "the",          " 's",  "'",
                                     "re", "1",  "23",           "\xc3\xa9", "\xe4\xb8\xad", "\xff", "\xf0\x9f\x98\x80",
                                     "!",  "?!", "\xe2\x80\x83", "\t"};
  uint64_t state = 11;
  for (int i = 0; i < 400; i++) {
    uint8_t text[256];
    size_t n = 0, whole[256], part[256];
    while (n < 200) {
      const char *bit = bits[random_int(&state, 0, sizeof bits / sizeof *bits - 1)];
      memcpy(text + n, bit, strlen(bit));
      n += strlen(bit);
    }
    const int64_t levels = i % 3;
    const int want = pieces_of(patterns, levels, text, n, n, whole);
    const int got = pieces_of(patterns, levels, text, n, (size_t)random_int(&state, 1, 20), part);
    CU_ASSERT_EQUAL(got, want);
    CU_ASSERT(got != want || memcmp(whole, part, (size_t)got * sizeof *part) == 0);
  }
}

static void bad_patterns(void) {
  static const char bad[][512] = {"(a", "(?<=a)b", "a{1,3}+", "\\h", "[^\\W]", "[a[b]]"};
  static const char good[][512] = {"[a}+\\w\\]]", "\\W\\}+", "a{1,3}"};
  sr_split *split;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    CU_ASSERT(sr_split_create("model", &bad[i], 1, &split) == SR_ERR_INPUT && !split);
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    CU_ASSERT(sr_split_create("model", &good[i], 1, &split) == SR_OK);
    sr_split_destroy(&split);
  }
}

/* Blanks that an expression looks through to their end in vain, more of them than PCRE2 steps back by itself. */
static void runs_of_any_length(void) {
  static const char pattern[][512] = {"\\s*[\\r\\n]+|\\s+|\\S+"};
  const size_t blanks = 11 << 20;
  uint8_t *text = malloc(blanks + 1);
  sr_split *split;
  size_t length = 0;
  memset(text, ' ', blanks);
  text[blanks] = 'x';
  CU_ASSERT_EQUAL_FATAL(sr_split_create("model", pattern, 1, &split), SR_OK);
  sr_split_begin(split);
  CU_ASSERT(sr_split_next(split, text, blanks + 1, true, &length) == SR_OK && length == blanks);
  sr_split_destroy(&split);
  free(text);
}

/* Merges in the order of their list, and of one the leftmost first. */
static void merges(void) {
  static const char *const words[] = {"ab", "bc", "abc", "aa", "aaaa", "aaa"};
  static int32_t merge[][2] = {{'b', 'c'}, {'a', 'b'}, {'a', 257}, {'a', 'a'}, {259, 259}, {259, 'a'}};
  sr_vocabulary v = vocabulary_of(SR_VOCABULARY_BPE, true, words, 6);
  v.merge = merge, v.n_merges = 6;
  v.n_patterns = 1;
  strcpy(v.pattern[0], GPT2);
  check(&v, "abc", 1, (int64_t[][2]){{258, 0}});
  check(&v, "abab", 2, (int64_t[][2]){{256, 0}, {256, 2}});
  check(&v, "aaaaa", 2, (int64_t[][2]){{260, 0}, {'a', 4}});
  check(&v, "aaa", 1, (int64_t[][2]){{261, 0}});
  check(&v,
        "\xff"
        "bc",
        2, (int64_t[][2]){{255, 0}, {257, 1}});
  check(&v, "", 0, NULL);
  v.whole_pieces = true;
  v.n_merges = 0;
  check(&v, "ab abd", 5, (int64_t[][2]){{256, 0}, {' ', 2}, {'a', 3}, {'b', 4}, {'d', 5}});
  v.first = 7, v.last = 8;
  check(&v, "ab", 3, (int64_t[][2]){{7, 0}, {256, 0}, {8, 2}});
  v.merge = NULL;
  sr_vocabulary_free(&v);
}

/* A long piece, against merges done the plain way. */
static void long_pieces(void) {
  static const char *const words[] = {"ab", "ba", "aba", "bab", "abab", "aa"};
  static int32_t merge[][2] = {{'a', 'a'}, {'b', 'a'}, {'a', 'b'}, {256, 'a'}, {'a', 257}, {256, 256}, {257, 'b'}};
  sr_vocabulary v = vocabulary_of(SR_VOCABULARY_BPE, true, words, 6);
  v.merge = merge, v.n_merges = 7;
  uint64_t state = 5;
  for (int round = 0; round < 50; round++) {
    static tokens got;
    char text[200];
    int32_t want[200];
    int n = (int)random_int(&state, 1, 200);
    for (int i = 0; i < n; i++) want[i] = text[i] = "ab"[random_int(&state, 0, 1)];
    CU_ASSERT_EQUAL(tokenise(&v, text, (size_t)n, &got), SR_OK);
    for (int m = 0; m < v.n_merges; m++) {
      static const int32_t made[] = {261, 257, 256, 258, 258, 260, 259};
      bool again = false;
      for (int i = 0; i + 1 < n; i++)
        if (want[i] == merge[m][0] && want[i + 1] == merge[m][1]) {
          want[i] = made[m];
          memmove(want + i + 1, want + i + 2, (size_t)(--n - i - 1) * sizeof *want);
          again = true;
        }
      if (again) m = -1; /* earlier merges may have become possible */
    }
    CU_ASSERT(got.n == n && memcmp(got.id, want, (size_t)n * sizeof *want) == 0);
  }
  v.merge = NULL;
  sr_vocabulary_free(&v);
}

/* What is longer than 32 bits count is no token, whatever its first bytes are. */
static void stretches_without_end(void) {
  static const char *const words[] = {"ab"};
  sr_vocabulary v = vocabulary_of(SR_VOCABULARY_BPE, false, words, 1);
  sr_lexicon *lexicon;
  CU_ASSERT_EQUAL_FATAL(sr_lexicon_create(&v, &lexicon), SR_OK);
  CU_ASSERT_EQUAL(sr_lexicon_find(lexicon, (const uint8_t *)"ab", 2), 0);
  CU_ASSERT_EQUAL(sr_lexicon_find(lexicon, (const uint8_t *)"ab", (size_t)UINT32_MAX + 3), -1);
  sr_lexicon_destroy(&lexicon);
  sr_vocabulary_free(&v);
}

static void bad_merges(void) {
  static const char *const words[] = {"ab"};
  static int32_t merge[][2] = {{'a', 'b'}, {'b', 'a'}};
  static tokens t;
  sr_vocabulary v = vocabulary_of(SR_VOCABULARY_BPE, true, words, 1);
  v.merge = merge, v.n_merges = 2;
  CU_ASSERT_EQUAL(tokenise(&v, "x", 1, &t), SR_ERR_INPUT);
  v.n_merges = 1;
  v.token['x'] = SR_TOKEN_CONTROL;
  CU_ASSERT_EQUAL(tokenise(&v, "y", 1, &t), SR_ERR_INPUT); /* no token for a byte */
  v.unknown = 3;
  check(&v, "yx", 2, (int64_t[][2]){{'y', 0}, {3, 1}});
  v.merge = NULL;
  sr_vocabulary_free(&v);
}

static void word_pieces(void) {
  static const char *const words[] = {"[UNK]",        "un", "##aff", "##able", "aff",          "!",         "e", "##te",
                                      "\xe4\xb8\xad", "i",  "##b",   "$",      "\xe5\x8a\x9b", "##\xcc\x87"};
  sr_vocabulary v = vocabulary_of(SR_VOCABULARY_WORDPIECE, false, words, 14);
  v.unknown = 0;
  v.clean = v.split_han = v.lowercase = v.strip_accents = true;
  check(&v, "unaffable", 3, (int64_t[][2]){{1, 0}, {2, 2}, {3, 5}});
  check(&v, " UNaff!!\t", 4, (int64_t[][2]){{1, 1}, {2, 3}, {5, 6}, {5, 7}});
  check(&v, "unaffx aff", 2, (int64_t[][2]){{0, 0}, {4, 7}});
  check(&v, "\xc3\x89t\xc3\xa9", 2, (int64_t[][2]){{6, 0}, {7, 2}}); /* accents go */
  check(&v,
        "i\xe4\xb8\xad"
        "e",
        3, (int64_t[][2]){{9, 0}, {8, 1}, {6, 4}});
  check(&v,
        "i\xef\xa6\x8a"
        "e",
        3, (int64_t[][2]){{9, 0}, {12, 1}, {6, 4}}); /* U+F98A is U+529B */
  check(&v,
        "u\xc2\xadn\xffi\x01"
        "b",
        1, (int64_t[][2]){{0, 0}}); /* what is not printed is not there: unib */
  check(&v,
        "i\x01"
        "b$",
        3, (int64_t[][2]){{9, 0}, {10, 2}, {11, 3}});
  v.strip_accents = false;
  check(&v, "\xc4\xb0", 2, (int64_t[][2]){{9, 0}, {13, 0}}); /* I with a dot is i and a dot */
  v.longest_word = 3;
  check(&v, "unaff une", 2, (int64_t[][2]){{0, 0}, {0, 6}});
  v.unknown = -1;
  static tokens t;
  CU_ASSERT_EQUAL(tokenise(&v, "un", 2, &t), SR_ERR_INPUT);
  sr_vocabulary_free(&v);
}

static void characters(void) {
  static const char *const words[] = {"A", "\xc3\xa9", "?"};
  static tokens t;
  sr_vocabulary v = vocabulary_of(SR_VOCABULARY_CHARACTERS, false, words, 3);
  check(&v,
        "A\xc3\xa9"
        "A",
        3, (int64_t[][2]){{0, 0}, {1, 1}, {0, 3}});
  CU_ASSERT_EQUAL(tokenise(&v, "AB", 2, &t), SR_ERR_INPUT);
  v.unknown = 2;
  check(&v, "AB\xff", 3, (int64_t[][2]){{0, 0}, {2, 1}, {2, 2}});
  sr_vocabulary_free(&v);
}

static void alphabet(void) {
  uint8_t bytes[16];
  CU_ASSERT(sr_byte_alphabet_decode("\xc4\xa0the", 5, bytes) == 4 && memcmp(bytes, " the", 4) == 0);
  CU_ASSERT(sr_byte_alphabet_decode("\xc4\x8a\xc3\xbf", 4, bytes) == 2 && bytes[0] == '\n' && bytes[1] == 0xFF);
  CU_ASSERT(sr_byte_alphabet_decode("a b", 3, bytes) == -1);
  CU_ASSERT(sr_byte_alphabet_decode("\xe4\xb8\xad", 3, bytes) == -1);
}

int main(void) {
  return run_suite("tokenizer", (const test_case[]){{"pieces", pieces},
                                                    {"words", words},
                                                    {"parts", parts},
                                                    {"bad patterns", bad_patterns},
                                                    {"runs of any length", runs_of_any_length},
                                                    {"merges", merges},
                                                    {"long pieces", long_pieces},
                                                    {"stretches without end", stretches_without_end},
                                                    {"bad merges", bad_merges},
                                                    {"word pieces", word_pieces},
                                                    {"characters", characters},
                                                    {"alphabet of bytes", alphabet},
                                                    {0}});
}
