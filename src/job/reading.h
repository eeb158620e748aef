/* A text as a model reads it: its tokens, and where its documents and units begin among them. All ranks have it. */
#ifndef SR_JOB_READING_H
#define SR_JOB_READING_H

#include <mpi.h>

#include "model/text.h"
#include "model/vocabulary.h"

typedef struct sr_reading_request {
  const char *model; /* its name, for messages */
  const char *texts; /* of sr_text_open */
  sr_cut document;   /* SR_CUT_NEVER: all is one */
  sr_cut unit;       /* parts of documents; SR_CUT_NEVER: each is one */
  int64_t limit;     /* tokens that are read at most, 0: all */
  bool may_be_empty; /* an empty text is one document: what stands at the ends of all */
} sr_reading_request;

typedef struct sr_reading {
  int64_t n, room;
  int32_t *id;             /* [n] */
  int64_t *offset;         /* [n] first byte, counted over all files */
  sr_numbers documents;    /* first token of each */
  sr_numbers units;        /* first token of each; where it has none, that of the next unit, or n */
  sr_numbers unit_offsets; /* first byte of each */
} sr_reading;

/* Rank 0, where the vocabulary is, reads for all. To be freed in any case. Collective. Errors: SR_ERR_INPUT,
 * SR_ERR_RESOURCE, SR_ERR_MPI. */
sr_status sr_reading_make(MPI_Comm comm, const sr_reading_request *request, const sr_vocabulary *vocabulary,
                          sr_reading *reading);
void sr_reading_free(sr_reading *reading);

/* Tokens of the longest document. */
int64_t sr_reading_longest(const sr_reading *reading);

#endif
