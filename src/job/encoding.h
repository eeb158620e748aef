/* What a decoder attends to besides its own text: another text, as an encoder has read it. */
#ifndef SR_JOB_ENCODING_H
#define SR_JOB_ENCODING_H

#include "model/saved.h"
#include "model/stack.h"
#include "reading.h"

typedef struct sr_encoding {
  const char *source; /* of sr_text_open, which must stay, or "" */
  sr_reading reading;
  sr_stack_run *run; /* NULL: the model has no encoder beside a decoder */
} sr_encoding;

/* Reads the source's tokens, where the model has an encoder beside a decoder; source is as in sr_text_open, or "" for
 * none. To be freed in any case. Collective. Errors: SR_ERR_ARGUMENT (a source that no model wants, or none where it
 * does), SR_ERR_INPUT, SR_ERR_RESOURCE, SR_ERR_MPI. */
sr_status sr_encoding_read(MPI_Comm comm, const char *model, const char *source, const sr_saved *saved,
                           sr_encoding *encoding);

/* What encoding takes of memory on this rank, with all that the decoder's layers keep of it: bytes. Collective. Errors:
 * as those of sr_stack_estimate. */
sr_status sr_encoding_estimate(MPI_Comm comm, const sr_saved *saved, const sr_store *store, int threads,
                               const sr_encoding *encoding, double *bytes);

/* Runs the encoder. Collective. Errors: as those of sr_stack_create. */
sr_status sr_encoding_make(MPI_Comm comm, const sr_saved *saved, const sr_store *store, int threads,
                           sr_encoding *encoding);
void sr_encoding_free(sr_encoding *encoding);

#endif
