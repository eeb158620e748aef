#define PCRE2_CODE_UNIT_WIDTH 8
#include "split.h"

#include <pcre2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

/* One expression, and what it has found: positions count from where the next piece begins. */
typedef struct level {
  pcre2_code *code;
  pcre2_match_data *match;
  pcre2_match_context *limits;
  size_t scanned;    /* no match begins before */
  size_t start, end; /* of the last match, empty when none is ahead */
} level;

struct sr_split {
  int64_t n;
  level level[];
};

/* Part of the text from the next piece on. */
typedef struct region {
  size_t end;
  bool closed; /* it ends there, and does not go on with what will follow */
} region;

/* Classes by Unicode's properties, as Oniguruma has them (RE, "character type"), which patterns are written for:
 * PCRE2's own differ. */
typedef struct class {
  char letter;
  const char *inside; /* brackets; NULL: cannot stand there */
  const char *alone;
} class;

static const class classes[] = {
    {'s', "\\p{White_Space}", "\\p{White_Space}"},
    {'S', "\\P{White_Space}", "\\P{White_Space}"},
    {'w', "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}", "[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}]"},
    {'W', NULL, "[^\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}]"},
};
enum { CLASSES = sizeof classes / sizeof *classes, LONGEST_CLASS = 48 };

/* What an escaped letter is replaced by; NULL: nothing. */
static const char *class_of(char letter, bool in_brackets) {
  for (int i = 0; i < CLASSES; i++)
    if (classes[i].letter == letter) return in_brackets ? classes[i].inside : classes[i].alone;
  return NULL;
}

/* A pattern for PCRE2, which the caller frees; *why is set to what PCRE2 has no like of, or reads otherwise. */
static char *translate(const char *pattern, const char **why) {
  char *text = malloc(strlen(pattern) * LONGEST_CLASS + 1), *to = text;
  bool in_brackets = false, in_name = false; /* in_name: as that of \p{L} */
  for (const char *c = pattern; text && *c; c++) {
    const bool escape = c[0] == '\\' && c[1];
    const char *as = escape ? class_of(c[1], in_brackets) : NULL;
    if (escape && in_brackets && c[1] == 'W') *why = "it has \\W in brackets";
    if (escape && strchr("hHRXK", c[1])) *why = "it has \\h, \\R, \\X or \\K, which are not read";
    if (!escape && !in_brackets && !in_name && c[0] == '}' && c[1] == '+')
      *why = "it has a + behind braces, which is not read";
    if (!escape && c[0] == '[' && in_brackets) *why = "it has brackets in brackets, which are not read";
    if (!escape && (c[0] == '[' || c[0] == ']')) in_brackets = c[0] == '[';
    in_name = (escape && c[2] == '{') || (in_name && c[0] != '}');
    if (as) {
      to = stpcpy(to, as);
    } else {
      *to++ = c[0];
      if (escape) *to++ = c[1];
    }
    c += escape;
  }
  if (text) *to = '\0';
  return text;
}

static sr_status bad_pattern(const char *what, const char *pattern, const char *why) {
  return sr_fail(SR_ERR_INPUT, "%s: the tokenizer's pattern '%.100s': %s", what, pattern, why);
}

static sr_status compile(const char *what, const char *pattern, level *to) {
  int error;
  size_t at;
  uint32_t behind = 0;
  const char *unread = NULL;
  char *text = translate(pattern, &unread);
  if (!text) return sr_fail(SR_ERR_RESOURCE, "%s: no memory for a pattern", what);
  if (unread) {
    free(text);
    return bad_pattern(what, pattern, unread);
  }
  to->code =
      pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED,
                    PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C, &error, &at, NULL);
  free(text);
  if (!to->code) {
    PCRE2_UCHAR why[128];
    pcre2_get_error_message(error, why, sizeof why);
    return bad_pattern(what, pattern, (char *)why);
  }
  if (pcre2_pattern_info(to->code, PCRE2_INFO_MAXLOOKBEHIND, &behind) || behind > 0)
    return bad_pattern(what, pattern, "it looks at what stands before a piece");
  pcre2_jit_compile(to->code, PCRE2_JIT_COMPLETE | PCRE2_JIT_PARTIAL_HARD); /* slower without */
  to->match = pcre2_match_data_create(1, NULL);
  to->limits = pcre2_match_context_create(NULL);
  if (to->limits) pcre2_set_match_limit(to->limits, UINT32_MAX); /* a run of blanks may have any length */
  return to->match && to->limits ? SR_OK : sr_fail(SR_ERR_RESOURCE, "%s: no memory for a pattern", what);
}

sr_status sr_split_create(const char *what, const char (*pattern)[512], int64_t n, sr_split **split) {
  *split = calloc(1, sizeof **split + (size_t)n * sizeof(level));
  if (!*split) return sr_fail(SR_ERR_RESOURCE, "%s: no memory for its patterns", what);
  sr_status status = SR_OK;
  for (int64_t i = 0; i < n && status == SR_OK; i++) {
    (*split)->n++;
    status = compile(what, pattern[i], &(*split)->level[i]);
  }
  if (status != SR_OK) sr_split_destroy(split);
  return status;
}

void sr_split_destroy(sr_split **split) {
  for (int64_t i = 0; *split && i < (*split)->n; i++) {
    pcre2_match_context_free((*split)->level[i].limits);
    pcre2_match_data_free((*split)->level[i].match);
    pcre2_code_free((*split)->level[i].code);
  }
  free(*split);
  *split = NULL;
}

void sr_split_begin(sr_split *split) {
  for (int64_t i = 0; i < split->n; i++) split->level[i].scanned = split->level[i].start = split->level[i].end = 0;
}

/* Looks for the next match in a region. What may become a match once the text goes on is where a later look begins. */
static sr_status find(level *l, const uint8_t *bytes, region in) {
  l->start = l->end = 0;
  if (l->scanned >= in.end) return SR_OK;
  const uint8_t *from = bytes + l->scanned;
  const int found = pcre2_match(l->code, from, in.end - l->scanned, 0,
                                PCRE2_NOTEMPTY | (in.closed ? 0 : PCRE2_PARTIAL_HARD), l->match, l->limits);
  const size_t *at = pcre2_get_ovector_pointer(l->match);
  if (found == PCRE2_ERROR_NOMATCH) {
    l->scanned = in.end;
  } else if (found == PCRE2_ERROR_PARTIAL) {
    l->scanned += at[0];
  } else if (found < 0) {
    return sr_fail(SR_ERR_RESOURCE, "a tokenizer's pattern is too much work for PCRE2: error %d", found);
  } else {
    l->start = l->scanned + at[0], l->end = l->scanned + at[1];
    l->scanned = l->end;
  }
  return SR_OK;
}

/* What an expression makes of the front of a region. */
static sr_status cut(level *l, const uint8_t *bytes, region *in) {
  if (l->end == 0) SR_TRY(find(l, bytes, *in));
  if (l->end == 0 && !in->closed)
    in->end = l->scanned; /* so far it is between matches */
  else if (l->end > 0)
    *in = (region){l->start > 0 ? l->start : l->end, true};
  return SR_OK;
}

sr_status sr_split_next(sr_split *split, const uint8_t *bytes, size_t n, bool whole, size_t *length) {
  region in = {n, whole};
  *length = 0;
  for (int64_t i = 0; i < split->n && in.end > 0; i++) SR_TRY(cut(&split->level[i], bytes, &in));
  if (!in.closed || in.end == 0) return SR_OK;
  *length = in.end;
  for (int64_t i = 0; i < split->n; i++) {
    level *l = &split->level[i];
    l->scanned = l->scanned > in.end ? l->scanned - in.end : 0;
    l->start = l->start > in.end ? l->start - in.end : 0;
    l->end = l->end > in.end ? l->end - in.end : 0;
  }
  return SR_OK;
}
