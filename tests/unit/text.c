/* Texts cut into documents and units, against the definition applied to the whole text. */
#include "model/text.h"

#include <stdlib.h>
#include <string.h>

#include "suite.h"

enum { LONGEST = 60 };

static bool is_blank(char c) {
  return c == ' ' || c == '\n';
}

/* Whether the line before the one that byte i is in is blank, and something visible is before that. */
static bool after_blank_line(const char *text, int64_t i) {
  int64_t line = i;
  while (line > 0 && text[line - 1] != '\n') line--;
  for (int64_t j = line; j < i; j++)
    if (!is_blank(text[j])) return false;
  bool blank = false, visible = false;
  for (int64_t end = line; end > 0 && !visible;) { /* lines upwards, until one is not blank */
    int64_t start = end - 1;
    while (start > 0 && text[start - 1] != '\n') start--;
    for (int64_t j = start; j < end; j++) visible |= !is_blank(text[j]);
    blank |= !visible;
    end = start;
  }
  return blank && visible;
}

static bool begins(const char *text, sr_cut cut, int64_t i) {
  if (i == 0) return true;
  if (cut == SR_CUT_LINE) return text[i - 1] == '\n';
  return cut == SR_CUT_PARAGRAPH && !is_blank(text[i]) && after_blank_line(text, i);
}

static sr_text text_of(const char *bytes, size_t n, sr_cut document, sr_cut unit) {
  return (sr_text){.paths = "",
                   .file = fmemopen((void *)bytes, n, "rb"),
                   .begins = true,
                   .document.cut = document,
                   .unit.cut = unit,
                   .held = EOF};
}

/* Reads a text in steps of some bytes; notes where documents begin. */
static void read_all(sr_text *text, size_t step, char *read, sr_numbers *documents) {
  uint8_t part[LONGEST];
  bool more;
  while (sr_text_next(text, &more) == SR_OK && more) {
    size_t got = step;
    CU_ASSERT(sr_numbers_add(documents, text->offset));
    while (got == step) {
      const int64_t at = text->offset;
      CU_ASSERT_EQUAL(sr_text_read(text, part, step, &got), SR_OK);
      memcpy(read + at, part, got);
    }
    CU_ASSERT(sr_text_read(text, part, step, &got) == SR_OK && got == 0);
  }
}

static bool holds(const sr_numbers *numbers, int64_t number) {
  bool there = false;
  for (int64_t i = 0; i < numbers->n; i++) there |= numbers->number[i] == number;
  return there;
}

static void parts_are_cut_by_their_definition(void) {
  uint64_t r = 3;
  for (int n = 0; n < 4000; n++) {
    const int64_t length = random_int(&r, 1, LONGEST);
    char text[LONGEST], read[LONGEST];
    for (int64_t i = 0; i < length; i++) text[i] = "ab  \n\n"[random_int(&r, 0, 5)];
    const sr_cut cut = (sr_cut)random_int(&r, 0, SR_CUT_LINE), unit = (sr_cut)random_int(&r, 0, SR_CUT_LINE);
    sr_text t = text_of(text, (size_t)length, cut, unit);
    sr_numbers documents = {0};
    read_all(&t, (size_t)random_int(&r, 1, 20), read, &documents);
    CU_ASSERT(t.offset == length && !memcmp(read, text, (size_t)length));
    for (int64_t i = 0; i < length; i++) {
      if (holds(&documents, i) != begins(text, cut, i)) CU_FAIL("document");
      if (holds(&t.units, i) != (begins(text, cut, i) || begins(text, unit, i))) CU_FAIL("unit");
    }
    free(documents.number);
    sr_text_close(&t);
  }
}

int main(void) {
  return run_suite("text",
                   (const test_case[]){{"parts are cut by their definition", parts_are_cut_by_their_definition}, {0}});
}
