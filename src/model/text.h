/* Texts: files that are read one behind the other, cut into documents on the way. */
#ifndef SR_MODEL_TEXT_H
#define SR_MODEL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <seqring/status.h>

/* Where a part of a text ends and the next one begins: nowhere, with each file, with each paragraph, or with each line.
 * A paragraph begins with the first visible character behind a blank line. Paragraphs and lines end with their file,
 * too. */
typedef enum sr_cut { SR_CUT_NEVER, SR_CUT_FILE, SR_CUT_PARAGRAPH, SR_CUT_LINE } sr_cut;

/* What is known of the part at hand. */
typedef struct sr_cutter {
  sr_cut cut;
  bool any;     /* it has a visible character */
  bool visible; /* so has its line */
  bool ended;   /* its line has, or a blank line behind it */
} sr_cutter;

/* Numbers that become more. */
typedef struct sr_numbers {
  int64_t n, room;
  int64_t *number;
} sr_numbers;

typedef struct sr_text {
  const char *paths; /* of the files to come, '\n' between them */
  char *what;        /* the file at hand, for messages */
  FILE *file;
  bool begins;        /* nothing of it has been read */
  bool refuses_empty; /* to be set by those to whom an empty file is an error */
  int64_t offset;     /* of the next byte, counted over all files */
  sr_cutter document, unit;
  bool ended;       /* all of the document at hand has been read */
  int held;         /* first byte of the next one, or EOF */
  sr_numbers units; /* where those of the documents so far begin */
} sr_text;

/* False when there is no memory. */
bool sr_numbers_add(sr_numbers *numbers, int64_t number);

/* The first of several paths that '\n' parts, which the caller frees; *paths goes on to the next. NULL without memory.
 */
char *sr_text_next_path(const char **paths);

/* Opens the first of several files, which '\n' parts; "-" is the standard input. paths must stay. To be closed in any
 * case. Errors: SR_ERR_INPUT (also for a directory), SR_ERR_RESOURCE. */
sr_status sr_text_open(const char *paths, sr_cut document, sr_cut unit, sr_text *text);
void sr_text_close(sr_text *text);

/* Goes on to the next document, or to the first; *more is false when there is none. Errors: as sr_text_open. */
sr_status sr_text_next(sr_text *text, bool *more);

/* Up to n bytes of the files, from an offset on, counted over all of them; *got of them are there. Nothing is got of
 * what is no regular file, nor of files behind one. Errors: SR_ERR_INPUT. */
sr_status sr_text_excerpt(const char *paths, int64_t offset, char *to, size_t n, size_t *got);

/* Reads up to n bytes of the document at hand; *got is less only at its end. Errors: as sr_text_open. */
sr_status sr_text_read(sr_text *text, uint8_t *to, size_t n, size_t *got);

#endif
