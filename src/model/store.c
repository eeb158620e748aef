#include "store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "comm/comm.h"
#include "model_names.h"

/* The dataset with the scales of an int8 weight's rows. */
static const sr_dataset_info *scale_of(const sr_saved *saved, const char *name) {
  char scale[sizeof saved->weight->name + sizeof SR_MODEL_SCALE];
  snprintf(scale, sizeof scale, "%s" SR_MODEL_SCALE, name);
  return sr_model_file_find(&saved->file, scale);
}

static uint64_t bytes_of(const sr_dataset_info *dataset) {
  return sr_align_up((uint64_t)dataset->dims[0] * sr_model_file_row_bytes(dataset));
}

/* Lays the weights out behind one another from memory on, which may be NULL to learn how much they take. */
static uint64_t lay_out(sr_store *store, char *memory) {
  const sr_saved *saved = store->saved;
  uint64_t at = 0;
  for (int64_t i = 0; i < saved->n_weights; i++) {
    const sr_weight_shape *w = &saved->weight[i];
    const sr_dataset_info *dataset = sr_model_file_find(&saved->file, w->name);
    sr_matrix *m = &store->matrix[i];
    *m = (sr_matrix){w->rows, w->columns, dataset->dtype, memory ? memory + at : NULL, NULL};
    at += bytes_of(dataset);
    if (dataset->dtype != SR_I8) continue;
    m->scale = memory ? (const float *)(void *)(memory + at) : NULL;
    at += bytes_of(scale_of(saved, w->name));
  }
  return at;
}

static sr_status read_all(const sr_store *store) {
  const sr_saved *saved = store->saved;
  for (int64_t i = 0; i < saved->n_weights; i++) {
    const char *name = saved->weight[i].name;
    const sr_dataset_info *dataset = sr_model_file_find(&saved->file, name);
    SR_TRY(sr_model_file_read(&saved->file, dataset, 0, dataset->dims[0], (void *)store->matrix[i].elements));
    if (dataset->dtype != SR_I8) continue;
    const sr_dataset_info *scale = scale_of(saved, name);
    SR_TRY(sr_model_file_read(&saved->file, scale, 0, scale->dims[0], (void *)store->matrix[i].scale));
  }
  return SR_OK;
}

static sr_status allocate(sr_store *store, int ranks) {
  if (ranks > 1) return sr_shared_create(store->node, store->bytes, &store->shared);
  store->own = sr_alloc(store->bytes);
  return store->own ? SR_OK
                    : sr_fail(SR_ERR_RESOURCE, "no memory for weights of %.2f GiB", (double)store->bytes / 0x1p30);
}

static sr_status fill(sr_store *store, int ranks, int rank) {
  lay_out(store, ranks > 1 ? store->shared.memory : store->own);
  sr_status status = rank == 0 ? read_all(store) : SR_OK;
  if (ranks > 1) SR_TRY(sr_shared_meet(store->node, &store->shared));
  return status;
}

static sr_status outline(sr_store *store) {
  store->matrix = calloc((size_t)store->saved->n_weights, sizeof *store->matrix);
  if (!store->matrix) return sr_fail(SR_ERR_RESOURCE, "no memory for a model's weights");
  store->bytes = lay_out(store, NULL);
  return SR_OK;
}

sr_status sr_store_outline(const sr_saved *saved, sr_store *store) {
  *store = sr_store_none();
  store->saved = saved;
  return outline(store);
}

static sr_status open_on_node(sr_store *store) {
  int ranks, rank;
  SR_TRY(sr_comm_size(store->node, &ranks));
  SR_TRY(sr_comm_rank(store->node, &rank));
  SR_TRY(sr_agree(store->node, outline(store)));
  SR_TRY(sr_agree(store->node, allocate(store, ranks)));
  return fill(store, ranks, rank);
}

sr_status sr_store_open(MPI_Comm comm, const sr_saved *saved, sr_store *store) {
  *store = sr_store_none();
  store->saved = saved;
  SR_TRY(sr_comm_node(comm, &store->node));
  return sr_agree(comm, open_on_node(store));
}

void sr_store_close(sr_store *store) {
  sr_shared_destroy(&store->shared);
  sr_comm_free(&store->node);
  sr_free(store->own);
  free(store->matrix);
  *store = sr_store_none();
}

const sr_matrix *sr_store_find(const sr_store *store, const char *name) {
  for (int64_t i = 0; i < store->saved->n_weights; i++)
    if (!strcmp(store->saved->weight[i].name, name)) return &store->matrix[i];
  return NULL;
}
