#include "model_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "comm/comm.h"
#include "file.h"
#include "listing.h"

enum { DATASETS_AT_MOST = 1 << 14 };

/* A vector or a matrix that can be read where it lies. */
static bool is_table(const sr_dataset_info *dataset, uint64_t size) {
  return dataset->rank >= 1 && dataset->rank <= 2 && dataset->offset >= 0 && sr_listing_is_possible(dataset, size);
}

static sr_status check(const char *path, const char *format, const char *version, const sr_listing *list) {
  const char *shown = sr_shown(path);
  if (!list->is_output || strncmp(list->format, version, strcspn(version, "0123456789")))
    return sr_fail(SR_ERR_INPUT, "%s: it is no model file of seqring: it has no %s '%s'; 'seqring import' makes one",
                   shown, format, version);
  if (strcmp(list->format, version))
    return sr_fail(SR_ERR_INPUT, "%s: its %s is '%s', and this seqring reads '%s': import it again", shown, format,
                   list->format, version);
  if (!list->is_complete) return sr_fail(SR_ERR_INPUT, "%s: it is not complete: import it again", shown);
  for (int i = 0; i < list->n; i++)
    if (!is_table(&list->dataset[i], list->size))
      return sr_fail(SR_ERR_INPUT, "%s: dataset '%s' is not as seqring writes it: import it again", shown,
                     list->dataset[i].name);
  return SR_OK;
}

/* Opens the file that was looked at. */
static sr_status open_same(sr_model_file *file) {
  struct stat about;
  SR_TRY(sr_file_open(file->path, &file->fd, &about));
  return sr_file_check_same(file->path, file->inode, file->size, file->mtime_ns, &about);
}

static sr_status no_memory(const sr_model_file *file) {
  return sr_fail(SR_ERR_RESOURCE, "%s: no memory to open it", sr_shown(file->path));
}

static sr_status take(const sr_listing *list, sr_model_file *file) {
  file->inode = list->inode, file->size = list->size, file->mtime_ns = list->mtime_ns;
  SR_TRY(open_same(file));
  file->text = strdup(list->text);
  file->dataset = calloc((size_t)list->n + 1, sizeof *file->dataset);
  if (!file->text || !file->dataset) return no_memory(file);
  memcpy(file->dataset, list->dataset, (size_t)list->n * sizeof *file->dataset);
  file->n_datasets = list->n;
  return SR_OK;
}

sr_status sr_model_file_open(const char *path, const char *format, const char *version, const char *text,
                             sr_model_file *file) {
  sr_listing *list;
  *file = (sr_model_file){.path = path, .fd = -1};
  SR_TRY(sr_listing_make(&(sr_listing_request){path, NULL, DATASETS_AT_MOST, true, text}, &list));
  sr_status status = check(path, format, version, list);
  if (status == SR_OK) status = take(list, file);
  free(list);
  return status;
}

void sr_model_file_close(sr_model_file *file) {
  free(file->dataset);
  free(file->text);
  if (file->fd >= 0) close(file->fd);
  *file = (sr_model_file){.fd = -1};
}

const sr_dataset_info *sr_model_file_find(const sr_model_file *file, const char *name) {
  for (int64_t i = 0; i < file->n_datasets; i++)
    if (!strcmp(file->dataset[i].name, name)) return &file->dataset[i];
  return NULL;
}

uint64_t sr_model_file_row_bytes(const sr_dataset_info *dataset) {
  return sr_dtype_size(dataset->dtype) * (dataset->rank > 1 ? (uint64_t)dataset->dims[1] : 1);
}

sr_status sr_model_file_read(const sr_model_file *file, const sr_dataset_info *dataset, int64_t first, int64_t count,
                             void *to) {
  const uint64_t row = sr_model_file_row_bytes(dataset);
  char what[SR_WHERE_TEXT];
  snprintf(what, sizeof what, "%s: dataset '%s'", sr_shown(file->path), dataset->name);
  return sr_file_read(file->fd, what, to, (uint64_t)count * row, (uint64_t)dataset->offset + (uint64_t)first * row);
}

/* Copies what rank 0 has to the others, which open it themselves. */
static sr_status receive(MPI_Comm comm, int rank, sr_model_file *file) {
  uint64_t length = rank == 0 ? strlen(file->text) + 1 : 0;
  SR_TRY(sr_comm_bcast(comm, &length, sizeof length, 0));
  if (rank > 0) {
    file->text = malloc(length);
    file->dataset = calloc((size_t)file->n_datasets + 1, sizeof *file->dataset);
  }
  SR_TRY(sr_agree(comm, file->text && file->dataset ? SR_OK : no_memory(file)));
  SR_TRY(sr_comm_bcast(comm, file->text, length, 0));
  SR_TRY(sr_comm_bcast(comm, file->dataset, (uint64_t)file->n_datasets * sizeof *file->dataset, 0));
  return sr_agree(comm, rank == 0 ? SR_OK : open_same(file));
}

sr_status sr_model_file_share(MPI_Comm comm, const char *path, sr_model_file *file) {
  int rank;
  SR_TRY(sr_comm_rank(comm, &rank));
  sr_model_file first = *file;
  SR_TRY(sr_comm_bcast(comm, &first, sizeof first, 0));
  if (rank > 0)
    *file = (sr_model_file){.path = path,
                            .fd = -1,
                            .inode = first.inode,
                            .size = first.size,
                            .mtime_ns = first.mtime_ns,
                            .n_datasets = first.n_datasets};
  return receive(comm, rank, file);
}
