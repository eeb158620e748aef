/* What the units of a text get from its tokens. */
#ifndef SR_JOB_UNITS_H
#define SR_JOB_UNITS_H

#include "chunks.h"
#include "model/stack.h"
#include "pool.h"
#include "ranking.h"
#include "reading.h"

/* The pooled hidden states of each unit, after a forward of the text's chunks. pooled is to be freed in any case.
 * Collective. Errors: SR_ERR_RESOURCE, SR_ERR_MPI. */
sr_status sr_units_embed(MPI_Comm comm, const sr_description *model, const sr_reading *reading, const sr_chunks *chunks,
                         const sr_stack_run *run, int64_t width, sr_pooled *pooled);

/* The mean of -logprob [rows of run] over the tokens of each unit but one that begins a document, NaN where there is no
 * other; logprob is that of the token behind each row's. Likewise collective, with these errors. */
sr_status sr_units_surprise(MPI_Comm comm, const sr_reading *reading, const sr_chunks *chunks, const sr_stack_run *run,
                            const float *logprob, sr_pooled *pooled);

/* Fills in top [n], on rank 0: the units with the largest values, one for each unit of this rank, and their bytes.
 * *found of them are there, on rank 0. Collective. Errors: SR_ERR_RESOURCE, SR_ERR_MPI. */
sr_status sr_units_top(MPI_Comm comm, const sr_reading *reading, const sr_numbers *unit, const float *value, int64_t n,
                       sr_run_unit *top, int64_t *found);

#endif
