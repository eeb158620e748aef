/* A model's weights in memory: once a node, shared by its ranks. */
#ifndef SR_MODEL_STORE_H
#define SR_MODEL_STORE_H

#include "comm/shared.h"
#include "matrix.h"
#include "saved.h"

typedef struct sr_store {
  const sr_saved *saved; /* the caller's, which must stay */
  uint64_t bytes;        /* of all weights */
  MPI_Comm node;         /* ranks that share them */
  sr_shared shared;
  char *own;         /* of a rank that is alone on its node */
  sr_matrix *matrix; /* in the order of saved->weight */
} sr_store;

/* A store that holds nothing, for sr_store_close. */
static inline sr_store sr_store_none(void) {
  return (sr_store){.node = MPI_COMM_NULL, .shared = {.window = MPI_WIN_NULL}};
}

/* Lays out a store without memory: its matrices have shapes and no elements. To be closed. Not collective. Errors:
 * SR_ERR_RESOURCE. */
sr_status sr_store_outline(const sr_saved *saved, sr_store *store);

/* Reads all weights. The model file is open on all ranks. *store is to be closed in any case but SR_ERR_MPI.
 * Collective. Errors: SR_ERR_INPUT, SR_ERR_RESOURCE, SR_ERR_MPI. */
sr_status sr_store_open(MPI_Comm comm, const sr_saved *saved, sr_store *store);
void sr_store_close(sr_store *store);

/* The weight of a name such as "decoder.0.query.weight"; NULL where the model has none. */
const sr_matrix *sr_store_find(const sr_store *store, const char *name);

#endif
