/* Which keys a query may see, by absolute positions.
 *
 * Key j stands at position j, query i at i + q_start. A query at position p sees key j when
 *
 *   (not causal       or  j <= p)                                              and
 *   (window_left < 0  or  j >= p - window_left  or  j < begin + sinks)         and
 *   (window_right < 0 or  j <= p + window_right)                               and
 *   j is in the document of p
 *
 * where begin is the first position of that document: 0 where documents are not told apart. Sinks (Xiao et al.,
 * Efficient Streaming Language Models with Attention Sinks, arXiv:2309.17453) are the keys that a window's left side
 * does not hide. A query before the first key is of the first document, one behind the last key of the last that has
 * keys.
 *
 * A query that sees no key gets o = 0 and lse = -inf.
 */
#ifndef SEQRING_MASK_H
#define SEQRING_MASK_H

#include <stdbool.h>
#include <stdint.h>

typedef struct sr_mask {
  bool causal;
  int64_t window_left;  /* keys to the left of the query's position, -1: unlimited */
  int64_t window_right; /* keys to the right of it, -1: unlimited */
  int64_t q_start;      /* position of query 0, or SR_Q_START_END */
  int64_t sinks;        /* keys at the begin of a document that all its queries see, as far as they may look right */
  const int64_t *documents; /* [n_documents] where each begins: ascending from 0 to at most kv_len, and empty where the
                               next begins likewise; NULL: all is one. A plan keeps a copy. */
  int64_t n_documents;      /* 0: all is one */
} sr_mask;

/* Aligns the last query with the last key: q_start = kv_len - q_len. */
#define SR_Q_START_END INT64_MIN

#endif
