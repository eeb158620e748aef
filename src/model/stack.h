/* A stack of layers on the ranks of a communicator: each token's activations stay with the rank that it was dealt to,
 * and only attention looks at other tokens. */
#ifndef SR_MODEL_STACK_H
#define SR_MODEL_STACK_H

#include <seqring/plan.h>

#include "store.h"

typedef struct sr_stack_run sr_stack_run;

/* A sequence of tokens. Positions count from the begin of a token's document. */
typedef struct sr_sequence {
  int64_t tokens;
  int64_t room;   /* tokens to which it will grow, whose keys and values all layers keep; 0: it stays as it is */
  sr_mask mask;   /* its window, sinks and documents, which must stay: the model says whether it is causal */
  bool is_source; /* another stack attends to it */
} sr_sequence;

/* What is to be run. All that is pointed at must stay. */
typedef struct sr_stack_spec {
  const sr_store *store;
  const char *name; /* "encoder" or "decoder" */
  const sr_stack *stack;
  sr_sequence sequence;
  int threads;                /* a rank */
  const sr_stack_run *source; /* that layers attend to after their own tokens, or NULL */
  const sr_costs *costs;      /* of sr_options */
} sr_stack_spec;

/* What a run takes of a rank's memory, in bytes. */
typedef struct sr_stack_need {
  uint64_t activations; /* states of its tokens, and room for products */
  uint64_t attention;   /* its plan's, but for what is shared */
  uint64_t shared;      /* what its plan shares with others of the node, */
  uint64_t touched;     /* and of that what this rank uses */
} sr_stack_need;

/* What sr_stack_create would decide and take; the store may be an outline. Collective. Errors: as those of
 * sr_stack_create. */
sr_status sr_stack_estimate(MPI_Comm comm, const sr_stack_spec *spec, sr_plan_info *plan, sr_stack_need *need);

/* Makes all that a forward needs. *run is NULL on failure. Collective. Errors: SR_ERR_ARGUMENT, SR_ERR_INPUT (a
 * document of more tokens than learned positions), SR_ERR_RESOURCE, SR_ERR_MPI. */
sr_status sr_stack_create(MPI_Comm comm, const sr_stack_spec *spec, sr_stack_run **run);
void sr_stack_destroy(sr_stack_run **run);

/* The tokens of this rank, in runs that begin at multiples of SR_SEGMENT. */
void sr_stack_rows(const sr_stack_run *run, sr_rows *rows);

/* What a run has computed for this rank's rows, its own memory. */
typedef struct sr_stack_state {
  const float *hidden; /* [rows, width] */
  const float *q;      /* [rows, heads, head_width], of the last layer that was run, as its attention read them */
  const float *k, *v;  /* [rows, kv_heads, head_width] likewise */
} sr_stack_state;

void sr_stack_get(const sr_stack_run *run, sr_stack_state *state);

/* A forward begins with the embeddings of ids [tokens], which all ranks have, goes through all layers in turn, some at
 * a time, and ends with the final normalisation. Bits do not depend on the number of ranks or threads. Layers are
 * collective, the others not. Errors: SR_ERR_MPI. */
void sr_stack_begin(sr_stack_run *run, const int32_t *ids);
sr_status sr_stack_layers(sr_stack_run *run, int64_t n);
void sr_stack_end(sr_stack_run *run);

/* After the end: natural logarithm of the probability of the next token, next[local row], for each row; NaN where that
 * is -1. Not collective. */
void sr_stack_logprob(sr_stack_run *run, const int32_t *next, float *logprob);

#endif
