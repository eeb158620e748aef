/* The memory of a plan: a block of its own, and the buffers that a team of several ranks shares. */
#ifndef SR_PLAN_WORKSPACE_H
#define SR_PLAN_WORKSPACE_H

#include "base/memory.h"
#include "decision.h"

/* What does not apply to a decision is NULL, or has no bytes. */
typedef struct sr_workspace {
  char *queries;                 /* [sets][kept] packed queries of tiles that keep their state */
  char *accumulators;            /* [kept]; a few queries: [threads][tiles] */
  char *workers;                 /* [threads] */
  char *buffer[SR_MOST_BUFFERS]; /* keys and values */
  char *outgoing, *incoming;     /* of an sr_exchange */
  double *query_norm; /* [sets][kept][tile] lengths of the queries, times scale * log2(e): of scores' units */
  double *key_norm;   /* [segments][kv_heads] of its longest key; infinite where keys or values are not tame (pack.c) */
  sr_batch *batches;  /* [n_batches] */
  double *reduced;    /* what the decode strategy reduces over the ranks */
  unsigned char *special; /* a few queries: bit i: what the shard's segment i gave is not finite */
} sr_workspace;

/* Lays out all but the buffers that are shared. */
sr_workspace sr_workspace_lay(const sr_decision *d, sr_layout *layout);

/* Lays out the buffers. */
void sr_workspace_lay_buffers(const sr_decision *d, sr_layout *layout, sr_workspace *w);

#endif
