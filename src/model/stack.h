/* A stack of layers on the ranks of a communicator: each token's activations stay with the rank that it was dealt to,
 * and only attention looks at other tokens. */
#ifndef SR_MODEL_STACK_H
#define SR_MODEL_STACK_H

#include <seqring/plan.h>

#include "store.h"

typedef struct sr_stack_run sr_stack_run;

/* Makes all that a forward of so many tokens needs, on so many threads a rank. name: "encoder" or "decoder"; store must
 * stay. *run is NULL on failure. Collective. Errors: SR_ERR_ARGUMENT, SR_ERR_INPUT (more tokens than learned
 * positions), SR_ERR_RESOURCE, SR_ERR_MPI. */
sr_status sr_stack_create(MPI_Comm comm, const sr_store *store, const char *name, const sr_stack *stack, int64_t tokens,
                          int threads, sr_stack_run **run);
void sr_stack_destroy(sr_stack_run **run);

/* The tokens of this rank, in runs that begin at multiples of 1,024. */
void sr_stack_rows(const sr_stack_run *run, sr_rows *rows);

/* Bytes of this rank's activations and of its plan. */
uint64_t sr_stack_bytes(const sr_stack_run *run);

/* Runs all layers over ids [tokens], which all ranks have; *hidden [rows, width] is the run's own, after the final
 * normalisation. Bits do not depend on the number of ranks or threads. Collective. Errors: SR_ERR_MPI. */
sr_status sr_stack_forward(sr_stack_run *run, const int32_t *ids, const float **hidden);

/* Natural logarithm of the probability of the next token, next[local row], for each row; -1 for none. Not collective.
 * Errors: none. */
void sr_stack_logprob(sr_stack_run *run, const int32_t *next, float *logprob);

#endif
