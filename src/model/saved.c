#include "saved.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "comm/comm.h"
#include "model_names.h"

static sr_status read_text(sr_saved *saved) {
  const char *path = saved->file.path;
  json_error_t error;
  json_t *json = json_loads(saved->file.text, 0, &error);
  if (!json) return sr_fail(SR_ERR_INPUT, "%s: its description is no JSON: %s", path, error.text);
  sr_status status = sr_description_from_json(path, json_object_get(json, "description"), &saved->description);
  if (status == SR_OK)
    status = sr_vocabulary_from_json(path, json_object_get(json, SR_MODEL_TOKENIZER), &saved->vocabulary);
  if (status == SR_OK && saved->source_vocabulary.n > 0)
    status = sr_vocabulary_from_json(path, json_object_get(json, SR_MODEL_SOURCE_TOKENIZER), &saved->source_vocabulary);
  json_decref(json);
  return status;
}

static sr_status find(const sr_saved *saved, const char *name, const sr_dataset_info **dataset) {
  *dataset = sr_model_file_find(&saved->file, name);
  return *dataset ? SR_OK : sr_fail(SR_ERR_INPUT, "%s: dataset '%s' is missing", saved->file.path, name);
}

static sr_status bad_shape(const sr_saved *saved, const char *name) {
  return sr_fail(SR_ERR_INPUT, "%s: dataset '%s' is of the wrong type or shape", saved->file.path, name);
}

static const sr_dataset_info *find_table(const sr_saved *saved, const char *tokenizer, const char *table) {
  char name[64];
  snprintf(name, sizeof name, "%s%s", tokenizer, table);
  return sr_model_file_find(&saved->file, name);
}

static sr_status bad_table(const sr_saved *saved, const char *tokenizer, const char *table) {
  char name[64];
  snprintf(name, sizeof name, "%s%s", tokenizer, table);
  return bad_shape(saved, name);
}

/* A table of a tokenizer: [rows] or [rows, columns]; the caller frees it. */
static sr_status read_table(const sr_saved *saved, const char *tokenizer, const char *name, sr_dtype dtype,
                            int64_t columns, void **table, int64_t *rows) {
  const sr_dataset_info *dataset = find_table(saved, tokenizer, name);
  if (!dataset) return sr_fail(SR_ERR_INPUT, "%s: dataset '%s%s' is missing", saved->file.path, tokenizer, name);
  if (dataset->dtype != dtype || dataset->rank != (columns > 1 ? 2 : 1) || (columns > 1 && dataset->dims[1] != columns))
    return bad_table(saved, tokenizer, name);
  *rows = dataset->dims[0];
  *table = malloc((size_t)*rows * (size_t)columns * sr_dtype_size(dtype));
  if (!*table) return sr_fail(SR_ERR_RESOURCE, "%s: no memory for its tokenizer", saved->file.path);
  return sr_model_file_read(&saved->file, dataset, 0, *rows, *table);
}

static sr_status read_tables(const sr_saved *saved, const char *tokenizer, sr_vocabulary *v) {
  int64_t bytes = 0, starts = 0;
  SR_TRY(read_table(saved, tokenizer, SR_MODEL_TOKEN_BYTES, SR_U8, 1, (void **)&v->bytes, &bytes));
  SR_TRY(read_table(saved, tokenizer, SR_MODEL_TOKEN_STARTS, SR_I64, 1, (void **)&v->start, &starts));
  SR_TRY(read_table(saved, tokenizer, SR_MODEL_TOKEN_KINDS, SR_U8, 1, (void **)&v->token, &v->n));
  if (find_table(saved, tokenizer, SR_MODEL_MERGES))
    SR_TRY(read_table(saved, tokenizer, SR_MODEL_MERGES, SR_I32, 2, (void **)&v->merge, &v->n_merges));
  if (starts != v->n + 1 || v->start[v->n] != bytes) return bad_table(saved, tokenizer, SR_MODEL_TOKEN_STARTS);
  return SR_OK;
}

static bool is_shape(const sr_dataset_info *dataset, int64_t rows, int64_t columns) {
  return dataset->dims[0] == rows &&
         (columns > 0 ? dataset->rank == 2 && dataset->dims[1] == columns : dataset->rank == 1);
}

static sr_status check_weight(const sr_saved *saved, const sr_weight_shape *w, int64_t *found) {
  const sr_dataset_info *dataset, *scale;
  SR_TRY(find(saved, w->name, &dataset));
  const bool integers = w->is_matrix && dataset->dtype == SR_I8;
  const bool good = dataset->dtype == SR_F32 || (w->is_matrix && dataset->dtype == SR_BF16) || integers;
  if (!good || !is_shape(dataset, w->is_matrix ? w->rows : w->columns, w->is_matrix ? w->columns : 0))
    return bad_shape(saved, w->name);
  *found += 1 + integers;
  if (!integers) return SR_OK;
  char name[sizeof w->name + sizeof SR_MODEL_SCALE];
  snprintf(name, sizeof name, "%s" SR_MODEL_SCALE, w->name);
  SR_TRY(find(saved, name, &scale));
  return scale->dtype == SR_F32 && is_shape(scale, w->rows, 0) ? SR_OK : bad_shape(saved, name);
}

static int64_t tables_of(const sr_vocabulary *v) {
  return v->n > 0 ? 3 + (v->n_merges > 0) : 0;
}

static sr_status check_weights(sr_saved *saved) {
  int64_t found = tables_of(&saved->vocabulary) + tables_of(&saved->source_vocabulary);
  SR_TRY(sr_description_weights(&saved->description, &saved->weight, &saved->n_weights));
  for (int64_t i = 0; i < saved->n_weights; i++) SR_TRY(check_weight(saved, &saved->weight[i], &found));
  if (found == saved->file.n_datasets) return SR_OK;
  return sr_fail(SR_ERR_INPUT, "%s: it has %" PRId64 " datasets, and its description makes %" PRId64, saved->file.path,
                 saved->file.n_datasets, found);
}

/* All but the file itself. */
static sr_status read_file(sr_saved *saved) {
  SR_TRY(read_tables(saved, SR_MODEL_TOKENIZER, &saved->vocabulary));
  if (find_table(saved, SR_MODEL_SOURCE_TOKENIZER, SR_MODEL_TOKEN_BYTES))
    SR_TRY(read_tables(saved, SR_MODEL_SOURCE_TOKENIZER, &saved->source_vocabulary));
  SR_TRY(read_text(saved));
  const bool both = saved->description.has_encoder && saved->description.has_decoder;
  if (both != (saved->source_vocabulary.n > 0))
    return sr_fail(SR_ERR_INPUT, "%s: it has %s tokenizer for an encoder beside a decoder", saved->file.path,
                   both ? "no" : "a");
  SR_TRY(sr_description_check_tokens(saved->file.path, &saved->description, saved->vocabulary.n,
                                     saved->source_vocabulary.n));
  return check_weights(saved);
}

sr_status sr_saved_open(const char *path, sr_saved *saved) {
  *saved = (sr_saved){.file = {.fd = -1}};
  SR_TRY(sr_model_file_open(path, SR_MODEL_FORMAT, SR_MODEL_VERSION, SR_MODEL_TEXT, &saved->file));
  return read_file(saved);
}

sr_status sr_saved_share(MPI_Comm comm, const char *path, sr_saved *saved) {
  SR_TRY(sr_model_file_share(comm, path, &saved->file));
  const bool is_first = saved->weight != NULL;
  return sr_agree(comm, is_first ? SR_OK : read_file(saved));
}

void sr_saved_close(sr_saved *saved) {
  free(saved->weight);
  sr_vocabulary_free(&saved->vocabulary);
  sr_vocabulary_free(&saved->source_vocabulary);
  sr_model_file_close(&saved->file);
}
