/* A text as a model with a bounded number of positions reads it: documents that are too long are cut in chunks that
 * share tokens, each of which is read as a document of its own; a token's results are those of the chunk in which it is
 * furthest from a cut. A text that needs no cut is one chunk a document. */
#ifndef SR_JOB_CHUNKS_H
#define SR_JOB_CHUNKS_H

#include <seqring/types.h>

#include "reading.h"

/* Tokens that are read one behind the other, and whose results count. */
typedef struct sr_kept {
  int64_t at;    /* the first one, as the model reads them */
  int64_t token; /* and in the text */
  int64_t n;
} sr_kept;

typedef struct sr_chunks {
  int64_t n;                /* tokens that the model reads */
  const int32_t *id;        /* [n] */
  const int64_t *documents; /* [n_documents] first token of each chunk */
  int64_t n_documents;
  int64_t n_kept, room;
  sr_kept *kept;   /* [n_kept] all tokens of the text, ascending in both */
  int32_t *own_id; /* where chunks are not the text itself */
  sr_numbers own_documents;
} sr_chunks;

/* How documents are cut. */
typedef struct sr_chunk_rule {
  int64_t context; /* tokens of a chunk, with those at its ends; 0: nothing is cut */
  int64_t overlap; /* tokens of the text that chunks share, at least */
} sr_chunk_rule;

/* Cuts a text, which must stay. Each chunk begins and ends with the tokens with which texts of the vocabulary do. To be
 * freed in any case. Not collective. Errors: SR_ERR_ARGUMENT (an overlap that no chunk has room for), SR_ERR_RESOURCE.
 */
sr_status sr_chunks_make(const sr_reading *reading, const sr_vocabulary *vocabulary, sr_chunk_rule rule,
                         sr_chunks *chunks);
void sr_chunks_free(sr_chunks *chunks);

/* The last of the kept runs that begins at or before a token of the text. */
int64_t sr_chunks_find(const sr_chunks *chunks, int64_t token);

/* Tokens of the text whose results a rank holds, one behind the other from one of its rows on. */
typedef struct sr_held {
  int64_t row;
  sr_span tokens;
} sr_held;

/* Those of a rank that reads some rows, ascending; the caller frees *held. Errors: SR_ERR_RESOURCE. */
sr_status sr_chunks_hold(const sr_chunks *chunks, const sr_rows *rows, sr_held **held, int64_t *n);

#endif
