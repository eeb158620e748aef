#include <inttypes.h>
#include <seqring/io.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "file.h"
#include "gate.h"
#include "h5.h"
#include "isolate.h"
#include "listing.h"

static const char *const dataset_names[SR_INPUT_DATASETS] = {"q", "k", "v", "documents"};

static bool are_documents(const sr_dataset_info *dataset) {
  return dataset->rank == 1 && (dataset->dtype == SR_I32 || dataset->dtype == SR_I64);
}

/* A file may have them; where they are missing, dataset stays as it is. */
static sr_status look_at_documents(sr_gate *gate, sr_dataset_info *dataset) {
  const char *name = dataset_names[SR_INPUT_DOCUMENTS];
  const htri_t there = H5Lexists(gate->in, name, H5P_DEFAULT);
  if (there < 0) return sr_h5_fail(SR_ERR_INPUT, "%s: HDF5 cannot look for '%s'", gate->path, name);
  if (!there) return SR_OK;
  gate->integers = true;
  SR_TRY(sr_gate_dataset(gate, name, dataset));
  if (!are_documents(dataset))
    return sr_fail(SR_ERR_INPUT,
                   "%s: dataset '%s' is %s of %d dimensions: where documents begin is int32 or int64, of one",
                   gate->path, name, dataset->type, dataset->rank);
  return dataset->offset < 0 ? sr_gate_try(gate, dataset) : SR_OK;
}

static sr_status look_at_input(const void *data, void *result) {
  const sr_listing_request *want = data;
  sr_input_info *info = result;
  struct stat about;
  sr_gate gate;
  SR_TRY(sr_listing_gate(want, &about, &gate));
  info->device = about.st_dev;
  info->inode = about.st_ino;
  info->size = (uint64_t)about.st_size;
  info->mtime_ns = sr_file_mtime(&about);
  for (int t = 0; t < SR_INPUT_DOCUMENTS; t++) {
    sr_dataset_info *dataset = &info->dataset[t];
    SR_TRY(sr_gate_dataset(&gate, dataset_names[t], dataset));
    if (dataset->rank != 3)
      return sr_fail(SR_ERR_INPUT, "%s: dataset '%s' has %d dimensions, and 3 are needed: [tokens, heads, width]",
                     gate.path, dataset->name, dataset->rank);
    if (dataset->offset < 0) SR_TRY(sr_gate_try(&gate, dataset));
  }
  return look_at_documents(&gate, &info->dataset[SR_INPUT_DOCUMENTS]);
}

/* What the child says of one dataset, checked again, since a damaged child may say anything. */
static sr_status check_dataset(const char *path, const sr_input_info *info, sr_input_tensor tensor) {
  const sr_dataset_info *dataset = &info->dataset[tensor];
  const bool named = !strcmp(dataset->name, dataset_names[tensor]), optional = tensor == SR_INPUT_DOCUMENTS;
  if (optional && !dataset->name[0] && dataset->dims[0] == 0) return SR_OK;
  const bool shaped = optional ? are_documents(dataset) : dataset->rank == 3;
  if (shaped && named && sr_listing_is_possible(dataset, info->size)) return SR_OK;
  return sr_fail(SR_ERR_INPUT,
                 "%s: dataset '%s': what HDF5 says of it contradicts itself: the file is damaged or malicious",
                 sr_shown(path), dataset_names[tensor]);
}

/* How q, k and v fit one another. */
static sr_status check_fit(const char *path, const sr_dataset_info *q, const sr_dataset_info *k,
                           const sr_dataset_info *v) {
  const char *shown = sr_shown(path);
  if (q->dtype != k->dtype || q->dtype != v->dtype)
    return sr_fail(SR_ERR_INPUT, "%s: q is %s, k is %s and v is %s: they must be of one type", shown,
                   sr_dtype_name(q->dtype), sr_dtype_name(k->dtype), sr_dtype_name(v->dtype));
  if (k->dims[0] != v->dims[0])
    return sr_fail(SR_ERR_INPUT, "%s: k has %" PRId64 " tokens and v has %" PRId64 ": they must have as many", shown,
                   k->dims[0], v->dims[0]);
  if (k->dims[1] != v->dims[1])
    return sr_fail(SR_ERR_INPUT, "%s: k has %" PRId64 " heads and v has %" PRId64 ": they must have as many", shown,
                   k->dims[1], v->dims[1]);
  if (q->dims[2] != k->dims[2])
    return sr_fail(SR_ERR_INPUT,
                   "%s: q has heads of width %" PRId64 " and k of width %" PRId64 ": they must be of one width", shown,
                   q->dims[2], k->dims[2]);
  if (q->dims[1] % k->dims[1] != 0)
    return sr_fail(SR_ERR_INPUT,
                   "%s: q has %" PRId64 " heads, which is no multiple of the %" PRId64 " heads of k and v", shown,
                   q->dims[1], k->dims[1]);
  const sr_dataset_info *wide = q->dims[2] > SR_HEAD_DIM_MAX ? q : v->dims[2] > SR_HEAD_DIM_MAX ? v : NULL;
  if (wide)
    return sr_fail(SR_ERR_INPUT, "%s: dataset '%s' has heads of width %" PRId64 ": 1 to %d is possible", shown,
                   wide->name, wide->dims[2], SR_HEAD_DIM_MAX);
  return SR_OK;
}

static sr_status probe_input(const sr_listing_request *want, sr_input_info *info) {
  SR_TRY(sr_isolate(want->path, look_at_input, want, info, sizeof *info));
  memset(info->path, 0, sizeof info->path);
  memset(info->group, 0, sizeof info->group);
  strncpy(info->path, want->path, sizeof info->path - 1);
  strncpy(info->group, want->group, sizeof info->group - 1);
  for (int t = 0; t < SR_INPUT_DATASETS; t++) {
    sr_listing_end_texts(&info->dataset[t]);
    SR_TRY(check_dataset(want->path, info, (sr_input_tensor)t));
  }
  const sr_dataset_info *q = &info->dataset[SR_INPUT_Q], *k = &info->dataset[SR_INPUT_K],
                        *v = &info->dataset[SR_INPUT_V];
  SR_TRY(check_fit(want->path, q, k, v));
  info->q_len = q->dims[0];
  info->q_heads = q->dims[1];
  info->head_dim = q->dims[2];
  info->kv_len = k->dims[0];
  info->kv_heads = k->dims[1];
  info->value_dim = v->dims[2];
  info->dtype = q->dtype;
  info->n_documents = info->dataset[SR_INPUT_DOCUMENTS].dims[0];
  return SR_OK;
}

sr_status sr_input_probe(const char *path, const char *group, sr_input_info *info) {
  memset(info, 0, sizeof *info);
  sr_listing_request want = {.path = path, .group = group};
  SR_TRY(sr_listing_check(&want));
  sr_status status = probe_input(&want, info);
  if (status != SR_OK) memset(info, 0, sizeof *info);
  return status;
}

/* A listing shows so many, and provenance is so short. */
enum { DATASETS_SHOWN = 256 };

static sr_status take_listing(const sr_listing *list, sr_file_info *info) {
  info->dataset = calloc((size_t)list->n + 1, sizeof *info->dataset);
  info->provenance = list->text[0] ? strdup(list->text) : NULL;
  if (!info->dataset || (list->text[0] && !info->provenance))
    return sr_fail(SR_ERR_RESOURCE, "no memory for a listing");
  memcpy(info->dataset, list->dataset, (size_t)list->n * sizeof *info->dataset);
  info->n_datasets = list->n;
  info->size = list->size;
  info->is_output = list->is_output;
  info->is_complete = list->is_complete;
  return SR_OK;
}

sr_status sr_file_probe(const char *path, const char *group, sr_file_info *info) {
  sr_listing *list;
  *info = (sr_file_info){0};
  SR_TRY(sr_listing_make(&(sr_listing_request){path, group, DATASETS_SHOWN, false, "provenance"}, &list));
  sr_status status = take_listing(list, info);
  if (status != SR_OK) sr_file_info_free(info);
  free(list);
  return status;
}

void sr_file_info_free(sr_file_info *info) {
  if (!info) return;
  free(info->dataset);
  free(info->provenance);
  *info = (sr_file_info){0};
}
