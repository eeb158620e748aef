/* Sets of tokens. */
#ifndef SR_SCHEDULE_TOKENS_H
#define SR_SCHEDULE_TOKENS_H

#include <seqring/types.h>
#include <stdbool.h>

#include "base/arena.h"

/* Runs of tokens, in ascending order, that do not touch. The spans lie in some arena. */
typedef struct sr_tokens {
  int64_t n;
  sr_span *span;
} sr_tokens;

/* Tokens in a set. */
int64_t sr_tokens_count(sr_tokens tokens);

/* Appends tokens [from, to), which start no earlier than the last span does, to a set that has room for one more span.
 */
void sr_tokens_append(sr_tokens *tokens, int64_t from, int64_t to);

/* Tokens of a set that lie before a position. */
int64_t sr_tokens_before(sr_tokens tokens, int64_t position);

/* Tokens that both sets have, or that any of the two has. False when there is no memory. */
bool sr_tokens_both(sr_arena *arena, sr_tokens a, sr_tokens b, sr_tokens *both);
bool sr_tokens_any(sr_arena *arena, sr_tokens a, sr_tokens b, sr_tokens *any);

/* Where run i of n equal runs of count tokens starts; the first count % n runs are one longer. No product overflows. */
int64_t sr_run_start(int64_t count, int64_t n, int64_t i);

/* Part i of n: of the tokens in ascending order the i-th of n equal runs, cut at multiples of
 * `unit` positions, so that some may be empty. */
bool sr_tokens_part(sr_arena *arena, sr_tokens tokens, int64_t i, int64_t n, int64_t unit, sr_tokens *part);

/* Segments that have tokens of a set, and the tokens of the i-th of these; for sets of whole segments, of which only
 * the last one can be short. */
int64_t sr_tokens_segments(sr_tokens tokens);
sr_span sr_tokens_segment(sr_tokens tokens, int64_t i);

#endif
