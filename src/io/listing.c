#include "listing.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "file.h"
#include "h5.h"
#include "isolate.h"

/* An HDF5 file begins with its signature at byte 0, or behind a user block of 512 bytes times a power of two. */
static bool has_signature(int fd, uint64_t size) {
  static const char signature[8] = "\211HDF\r\n\032\n";
  char found[sizeof signature];
  for (uint64_t at = 0; at + sizeof found <= size; at = at ? 2 * at : 512)
    if (pread(fd, found, sizeof found, (off_t)at) == sizeof found && !memcmp(found, signature, sizeof found))
      return true;
  return false;
}

sr_status sr_listing_gate(const sr_listing_request *want, struct stat *about, sr_gate *gate) {
  int fd;
  SR_TRY(sr_file_open(want->path, &fd, about));
  if (!has_signature(fd, (uint64_t)about->st_size))
    return sr_fail(SR_ERR_INPUT, "%s: it is not an HDF5 file", sr_shown(want->path));
  SR_TRY(sr_gate_open(want->path, want->group, about, gate));
  gate->integers = want->integers;
  return SR_OK;
}

sr_status sr_listing_check(sr_listing_request *want) {
  if (!want->path || !want->path[0]) return sr_fail(SR_ERR_ARGUMENT, "no file was named");
  if (!want->group || !want->group[0]) want->group = "/";
  const char *shown = sr_shown(want->path);
  if (strlen(want->path) >= SR_PATH_MAX) return sr_fail(SR_ERR_INPUT, "%s: the path is too long", shown);
  if (strlen(want->group) >= SR_PATH_MAX) return sr_fail(SR_ERR_ARGUMENT, "%s: the group's path is too long", shown);
  return SR_OK;
}

/* Names come from the file and go to a terminal. */
static void end_text(char *text, size_t size) {
  text[size - 1] = '\0';
  for (; *text; text++)
    if ((unsigned char)*text < ' ' || *text == 127) *text = '?';
}

void sr_listing_end_texts(sr_dataset_info *info) {
  end_text(info->name, sizeof info->name);
  end_text(info->type, sizeof info->type);
  end_text(info->storage, sizeof info->storage);
}

bool sr_listing_is_possible(const sr_dataset_info *dataset, uint64_t size) {
  uint64_t bytes = sr_dtype_size(dataset->dtype);
  bool good = dataset->readable && bytes > 0;
  for (int i = 0; i < dataset->rank; i++)
    good = good && dataset->dims[i] > 0 && sr_mul(bytes, (uint64_t)dataset->dims[i], &bytes) && bytes <= INT64_MAX;
  if (good && dataset->offset >= 0) good = bytes <= size && (uint64_t)dataset->offset <= size - bytes;
  return good;
}

typedef struct names {
  int n, most;
  char name[][SR_NAME_MAX];
} names;

static herr_t keep_name(hid_t group, const char *name, const H5L_info_t *link, void *data) {
  (void)group;
  (void)link;
  names *kept = data;
  if (kept->n == kept->most) return 1;
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

static void read_texts(const sr_listing_request *want, const sr_gate *gate, sr_listing *list) {
  char creator[64];
  list->is_output = sr_h5_get_text(gate->file, "creator", creator, sizeof creator) && !strncmp(creator, "seqring ", 8);
  list->is_complete = list->is_output && H5Aexists(gate->file, "complete") > 0;
  sr_h5_get_text(gate->file, "format", list->format, sizeof list->format);
  if (list->is_output) sr_h5_get_text(gate->file, want->text, list->text, sizeof list->text);
}

/* Runs in the child. */
static sr_status look(const void *data, void *result) {
  const sr_listing_request *want = data;
  sr_listing *list = result;
  struct stat about;
  sr_gate gate;
  SR_TRY(sr_listing_gate(want, &about, &gate));
  list->size = (uint64_t)about.st_size;
  list->inode = about.st_ino;
  list->mtime_ns = sr_file_mtime(&about);
  names *kept = calloc(1, sizeof *kept + (size_t)want->most * sizeof *kept->name);
  if (!kept) return sr_fail(SR_ERR_RESOURCE, "%s: no memory to list it", gate.path);
  kept->most = want->most;
  SR_TRY(list_names(&gate, kept));
  list->n = kept->n;
  for (int i = 0; i < kept->n; i++)
    if (sr_gate_dataset(&gate, kept->name[i], &list->dataset[i]) != SR_OK && !list->dataset[i].type[0])
      strcpy(list->dataset[i].type, "damaged");
  read_texts(want, &gate, list);
  return SR_OK;
}

/* A damaged child may have written anything. */
static void tidy(const sr_listing_request *want, sr_listing *list) {
  if (list->n < 0 || list->n > want->most) list->n = 0;
  list->format[sizeof list->format - 1] = '\0';
  list->text[sizeof list->text - 1] = '\0';
  for (int i = 0; i < list->n; i++) sr_listing_end_texts(&list->dataset[i]);
}

sr_status sr_listing_make(const sr_listing_request *request, sr_listing **listing) {
  sr_listing_request want = *request;
  *listing = NULL;
  SR_TRY(sr_listing_check(&want));
  const size_t size = sizeof **listing + (size_t)want.most * sizeof *(*listing)->dataset;
  sr_listing *list = calloc(1, size);
  if (!list) return sr_fail(SR_ERR_RESOURCE, "%s: no memory to list it", sr_shown(want.path));
  sr_status status = sr_isolate(want.path, look, &want, list, size);
  if (status == SR_OK) {
    tidy(&want, list);
    *listing = list;
  } else {
    free(list);
  }
  return status;
}
