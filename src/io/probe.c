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

static const char *const tensor_names[3] = {"q", "k", "v"};

typedef struct request {
  const char *path, *group;
} request;

/* An HDF5 file begins with its signature at byte 0, or behind a user block of 512 bytes times a power of two. */
static bool has_signature(int fd, uint64_t size) {
  static const char signature[8] = "\211HDF\r\n\032\n";
  char found[sizeof signature];
  for (uint64_t at = 0; at + sizeof found <= size; at = at ? 2 * at : 512)
    if (pread(fd, found, sizeof found, (off_t)at) == sizeof found && !memcmp(found, signature, sizeof found))
      return true;
  return false;
}

/* Runs in the child. */
static sr_status open_gate(const request *want, struct stat *about, sr_gate *gate) {
  int fd;
  SR_TRY(sr_file_open(want->path, &fd, about));
  if (!has_signature(fd, (uint64_t)about->st_size))
    return sr_fail(SR_ERR_INPUT, "%s: it is not an HDF5 file", sr_shown(want->path));
  return sr_gate_open(want->path, want->group, about, gate);
}

static sr_status check_arguments(const char *path, const char **group) {
  if (!path || !path[0]) return sr_fail(SR_ERR_ARGUMENT, "no file was named");
  if (!*group || !(*group)[0]) *group = "/";
  if (strlen(path) >= SR_PATH_MAX) return sr_fail(SR_ERR_INPUT, "%s: the path is too long", sr_shown(path));
  if (strlen(*group) >= SR_PATH_MAX)
    return sr_fail(SR_ERR_ARGUMENT, "%s: the group's path is too long", sr_shown(path));
  return SR_OK;
}

static sr_status look_at_input(const void *data, void *result) {
  const request *want = data;
  sr_input_info *info = result;
  struct stat about;
  sr_gate gate;
  SR_TRY(open_gate(want, &about, &gate));
  info->device = about.st_dev;
  info->inode = about.st_ino;
  info->size = (uint64_t)about.st_size;
  info->mtime_ns = sr_file_mtime(&about);
  for (int t = 0; t < 3; t++) {
    sr_dataset_info *dataset = &info->dataset[t];
    SR_TRY(sr_gate_dataset(&gate, tensor_names[t], dataset));
    if (dataset->rank != 3)
      return sr_fail(SR_ERR_INPUT, "%s: dataset '%s' has %d dimensions, and 3 are needed: [tokens, heads, width]",
                     gate.path, dataset->name, dataset->rank);
    if (dataset->offset < 0) SR_TRY(sr_gate_try(&gate, dataset));
  }
  return SR_OK;
}

/* What the child says of one dataset, checked again, since a damaged child may say anything. */
static sr_status check_dataset(const char *path, const sr_input_info *info, sr_input_tensor tensor) {
  const sr_dataset_info *dataset = &info->dataset[tensor];
  uint64_t bytes = sr_dtype_size(dataset->dtype);
  bool good = dataset->readable && dataset->rank == 3 && bytes > 0 && !strcmp(dataset->name, tensor_names[tensor]);
  for (int i = 0; i < 3; i++)
    good = good && dataset->dims[i] > 0 && sr_mul(bytes, (uint64_t)dataset->dims[i], &bytes) && bytes <= INT64_MAX;
  if (good && dataset->offset >= 0) good = bytes <= info->size && (uint64_t)dataset->offset <= info->size - bytes;
  if (good) return SR_OK;
  return sr_fail(SR_ERR_INPUT,
                 "%s: dataset '%s': what HDF5 says of it contradicts itself: the file is damaged or malicious",
                 sr_shown(path), tensor_names[tensor]);
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
  const sr_dataset_info *wide = q->dims[2] > 512 ? q : v->dims[2] > 512 ? v : NULL;
  if (wide)
    return sr_fail(SR_ERR_INPUT, "%s: dataset '%s' has heads of width %" PRId64 ": 1 to 512 is possible", shown,
                   wide->name, wide->dims[2]);
  return SR_OK;
}

/* Names come from the file and go to a terminal. */
static void end_text(char *text, size_t size) {
  text[size - 1] = '\0';
  for (; *text; text++)
    if ((unsigned char)*text < ' ' || *text == 127) *text = '?';
}

static void end_texts(sr_dataset_info *info) {
  end_text(info->name, sizeof info->name);
  end_text(info->type, sizeof info->type);
  end_text(info->storage, sizeof info->storage);
}

static sr_status probe_input(const request *want, sr_input_info *info) {
  SR_TRY(sr_isolate(want->path, look_at_input, want, info, sizeof *info));
  memset(info->path, 0, sizeof info->path);
  memset(info->group, 0, sizeof info->group);
  strncpy(info->path, want->path, sizeof info->path - 1);
  strncpy(info->group, want->group, sizeof info->group - 1);
  for (int t = 0; t < 3; t++) {
    end_texts(&info->dataset[t]);
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
  return SR_OK;
}

sr_status sr_input_probe(const char *path, const char *group, sr_input_info *info) {
  memset(info, 0, sizeof *info);
  SR_TRY(check_arguments(path, &group));
  sr_status status = probe_input(&(request){path, group}, info);
  if (status != SR_OK) memset(info, 0, sizeof *info);
  return status;
}

/* What the child of sr_file_probe sends. */
enum { DATASETS_AT_MOST = 256, PROVENANCE_AT_MOST = 64 << 10 };

typedef struct listing {
  uint64_t size;
  int32_t n;
  bool is_output, is_complete;
  sr_dataset_info dataset[DATASETS_AT_MOST];
  char provenance[PROVENANCE_AT_MOST];
} listing;

typedef struct names {
  int n;
  char name[DATASETS_AT_MOST][SR_NAME_MAX];
} names;

static herr_t keep_name(hid_t group, const char *name, const H5L_info_t *link, void *data) {
  (void)group;
  (void)link;
  names *kept = data;
  if (kept->n == DATASETS_AT_MOST) return 1;
  if (strlen(name) < SR_NAME_MAX) strcpy(kept->name[kept->n++], name);
  return 0;
}

/* In the order of creation where the group keeps it. */
static sr_status list_names(const sr_gate *gate, names *kept) {
  unsigned order = 0;
  hid_t plist = H5Gget_create_plist(gate->in);
  bool by_creation = plist >= 0 && H5Pget_link_creation_order(plist, &order) >= 0 && order & H5P_CRT_ORDER_INDEXED;
  if (H5Literate(gate->in, by_creation ? H5_INDEX_CRT_ORDER : H5_INDEX_NAME, H5_ITER_INC, NULL, keep_name, kept) < 0)
    return sr_h5_fail(SR_ERR_INPUT, "%s: group '%s' cannot be listed", gate->path, gate->group);
  return SR_OK;
}

static sr_status look_at_file(const void *data, void *result) {
  const request *want = data;
  listing *list = result;
  struct stat about;
  sr_gate gate;
  SR_TRY(open_gate(want, &about, &gate));
  list->size = (uint64_t)about.st_size;
  names *kept = calloc(1, sizeof *kept);
  if (!kept) return sr_fail(SR_ERR_RESOURCE, "%s: no memory to list it", gate.path);
  SR_TRY(list_names(&gate, kept));
  list->n = kept->n;
  for (int i = 0; i < kept->n; i++)
    if (sr_gate_dataset(&gate, kept->name[i], &list->dataset[i]) != SR_OK && !list->dataset[i].type[0])
      strcpy(list->dataset[i].type, "damaged");
  char creator[64];
  list->is_output = sr_h5_get_text(gate.file, "creator", creator, sizeof creator) && !strncmp(creator, "seqring ", 8);
  list->is_complete = list->is_output && H5Aexists(gate.file, "complete") > 0;
  if (list->is_output) sr_h5_get_text(gate.file, "provenance", list->provenance, sizeof list->provenance);
  return SR_OK;
}

static sr_status take_listing(listing *list, sr_file_info *info) {
  if (list->n < 0 || list->n > DATASETS_AT_MOST) list->n = 0;
  list->provenance[sizeof list->provenance - 1] = '\0';
  for (int i = 0; i < list->n; i++) end_texts(&list->dataset[i]);
  info->dataset = calloc((size_t)list->n + 1, sizeof *info->dataset);
  info->provenance = list->provenance[0] ? strdup(list->provenance) : NULL;
  if (!info->dataset || (list->provenance[0] && !info->provenance))
    return sr_fail(SR_ERR_RESOURCE, "no memory for a listing");
  memcpy(info->dataset, list->dataset, (size_t)list->n * sizeof *info->dataset);
  info->n_datasets = list->n;
  info->size = list->size;
  info->is_output = list->is_output;
  info->is_complete = list->is_complete;
  return SR_OK;
}

sr_status sr_file_probe(const char *path, const char *group, sr_file_info *info) {
  *info = (sr_file_info){0};
  SR_TRY(check_arguments(path, &group));
  listing *list = calloc(1, sizeof *list);
  if (!list) return sr_fail(SR_ERR_RESOURCE, "%s: no memory to list it", sr_shown(path));
  sr_status status = sr_isolate(path, look_at_file, &(request){path, group}, list, sizeof *list);
  if (status == SR_OK) status = take_listing(list, info);
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
