/* What an output says about its making. */
#ifndef SR_JOB_PROVENANCE_H
#define SR_JOB_PROVENANCE_H

#include <jansson.h>

#include "attend.h"

/* {"seqring": "0.1.0", "mpi": "Open MPI v4.1.4", ...}: versions of the program and of its libraries. NULL without
 * memory. Not collective; may be called before MPI_Init. */
json_t *sr_versions_json(void);

/* The options that the bits of o and lse depend on, as they were resolved. NULL without memory. Not collective. */
json_t *sr_options_json(const sr_attend_job *job, const sr_attend_report *report);

/* The JSON text for sr_output_commit: versions, options and shapes, no input content. Free it with free(); NULL without
 * memory. Not collective. */
char *sr_provenance(const sr_attend_job *job, const sr_attend_report *report);

#endif
