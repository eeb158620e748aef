/* The job import: from a foreign model to seqring's model file. */
#ifndef SR_JOB_IMPORT_H
#define SR_JOB_IMPORT_H

#include "events.h"

typedef struct sr_import_job {
  const char *source, *output;
  sr_dtype weights; /* of the matrices: SR_F32, SR_BF16, or SR_I8 with a scale a row */
  sr_job_events events;
} sr_import_job;

typedef struct sr_import_report {
  int64_t n_weights, parameters, tokens;
  uint64_t bytes; /* of the weights, as they are written */
} sr_import_report;

/* Does it. Collective over comm, of which one rank is enough. Errors: SR_ERR_INPUT, SR_ERR_OUTPUT, SR_ERR_RESOURCE,
 * SR_ERR_MPI. */
sr_status sr_import_run(MPI_Comm comm, const sr_import_job *job, sr_import_report *report);

#endif
