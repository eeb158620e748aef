/* Cuts a text that comes in parts into pieces, by regular expressions: what an expression finds is a piece, and so is
 * what it leaves between; each piece is cut further by the next expression, as if it were all of the text. Bytes that
 * are no UTF-8 match nothing. */
#ifndef SR_MODEL_SPLIT_H
#define SR_MODEL_SPLIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <seqring/status.h>

typedef struct sr_split sr_split;

/* Compiles PCRE2 patterns; \s and \S stand for Unicode's White_Space. what names the file in messages. *split is NULL
 * on failure. Errors: SR_ERR_INPUT (a pattern that is wrong, or looks behind), SR_ERR_RESOURCE. */
sr_status sr_split_create(const char *what, const char (*pattern)[512], int64_t n, sr_split **split);
void sr_split_destroy(sr_split **split);

/* Begins with a new text. */
void sr_split_begin(sr_split *split);

/* The length of the next piece of a text of which bytes[0..n) follow the pieces that were found so far, and all of it
 * when whole is true; 0 when more must be known of the text to tell, or nothing is left. Errors: SR_ERR_RESOURCE. */
sr_status sr_split_next(sr_split *split, const uint8_t *bytes, size_t n, bool whole, size_t *length);

#endif
