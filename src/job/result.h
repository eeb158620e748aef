/* The output of a job: made, completed or given up, with the events that tell of it. */
#ifndef SR_JOB_RESULT_H
#define SR_JOB_RESULT_H

#include <seqring/io.h>

#include "events.h"

/* As sr_output_create; every rank is told the name of the incomplete file, for a signal handler. The spec's `made` is
 * filled in. Collective. */
sr_status sr_result_create(MPI_Comm comm, sr_output_spec spec, const sr_job_events *events, sr_output **output);

/* As sr_output_commit; from then on there is no incomplete file. Collective. */
sr_status sr_result_commit(sr_output **output, sr_status mine, const char *provenance, const sr_job_events *events);

/* After an MPI failure, when nothing collective can be done any more and messages may still be on their way to the
 * memory: removes the incomplete file. output may be NULL. Not collective. */
void sr_result_abandon(const sr_output *output);

#endif
