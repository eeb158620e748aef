#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <seqring/io.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/error.h"
#include "base/rows.h"
#include "comm/comm.h"
#include "file.h"
#include "output_file.h"

/* Each row's hash is seeded with the row's number and all are added up, so that the sum depends on what stands in which
 * row but not on who wrote it when. */
#define CHECKSUM_METHOD "sum over rows r of XXH3-64(bytes of row r, seed r) modulo 2^64"

/* What is kept of a dataset of the spec, and this rank's share of it. */
typedef struct kept {
  char name[SR_NAME_MAX];
  int rank;
  int64_t dims[SR_OUTPUT_RANK_MAX];
  uint64_t offset, row_bytes;
  int64_t written; /* rows */
  uint64_t checksum;
} kept;

struct sr_output {
  MPI_Comm comm;
  int rank, fd;
  sr_output_file file;
  int n;
  kept dataset[];
};

static void free_output(sr_output *output) {
  if (output->fd >= 0) close(output->fd);
  sr_comm_free(&output->comm);
  free(output);
}

/* Rank 0 makes the file; offset is [n_datasets]. */
static sr_status make_file(sr_output *output, const sr_output_spec *spec, uint64_t *offset) {
  SR_TRY(sr_comm_rank(output->comm, &output->rank));
  sr_status status = output->rank == 0 ? sr_output_file_make(spec, &output->file, offset) : SR_OK;
  SR_TRY(sr_agree(output->comm, status));
  SR_TRY(sr_comm_bcast(output->comm, &output->file, sizeof output->file, 0));
  SR_TRY(sr_comm_bcast(output->comm, offset, sizeof *offset * (uint64_t)spec->n_datasets, 0));
  return sr_agree(output->comm, sr_output_file_open(&output->file, &output->fd));
}

/* An output without a file; NULL without memory. */
static sr_output *new_output(const sr_output_spec *spec) {
  sr_output *output = calloc(1, sizeof *output + (size_t)spec->n_datasets * sizeof(kept));
  if (!output) return NULL;
  output->comm = MPI_COMM_NULL;
  output->fd = -1;
  output->n = spec->n_datasets;
  for (int i = 0; i < output->n; i++) {
    const sr_output_dataset *from = &spec->dataset[i];
    kept *to = &output->dataset[i];
    snprintf(to->name, sizeof to->name, "%s", from->name ? from->name : "");
    to->rank = from->rank;
    memcpy(to->dims, from->dims, sizeof to->dims);
    to->row_bytes = sr_output_row_bytes(from);
  }
  return output;
}

/* On failure *output is left to be freed. */
static sr_status make_everywhere(MPI_Comm comm, const sr_output_spec *spec, sr_output **output) {
  uint64_t *offset = calloc((size_t)spec->n_datasets + 1, sizeof *offset);
  *output = new_output(spec);
  sr_status status = *output && offset ? SR_OK : sr_fail(SR_ERR_RESOURCE, "no memory for an output");
  status = sr_agree(comm, status);
  if (status == SR_OK) status = sr_comm_dup(comm, &(*output)->comm);
  if (status == SR_OK) status = make_file(*output, spec, offset);
  for (int i = 0; i < spec->n_datasets && status == SR_OK; i++) (*output)->dataset[i].offset = offset[i];
  free(offset);
  return status;
}

sr_status sr_output_create(MPI_Comm comm, const sr_output_spec *spec, sr_output **output) {
  sr_status status = make_everywhere(comm, spec, output);
  if (status == SR_OK || !*output) return status;
  if ((*output)->rank == 0) sr_output_file_remove(&(*output)->file);
  free_output(*output);
  *output = NULL;
  return status;
}

const char *sr_output_partial_path(const sr_output *output) {
  return output->file.partial;
}

sr_status sr_output_write(sr_output *output, int number, const sr_rows *rows, const void *from) {
  const char *at = from;
  kept *to = &output->dataset[number];
  char what[SR_WHERE_TEXT];
  snprintf(what, sizeof what, "%s: dataset '%s'", sr_shown(output->file.path), to->name);
  SR_TRY(sr_rows_check(rows, to->dims[0], what, "to be written"));
  for (int i = 0; i < rows->n_spans; i++) {
    sr_span span = rows->span[i];
    SR_TRY(sr_file_write(output->fd, what, at, (uint64_t)span.count * to->row_bytes,
                         to->offset + (uint64_t)span.start * to->row_bytes));
    for (int64_t row = span.start; row < span.start + span.count; row++, at += to->row_bytes)
      to->checksum += XXH3_64bits_withSeed(at, to->row_bytes, (XXH64_hash_t)row);
    to->written += span.count;
  }
  return SR_OK;
}

/* The sums of one dataset over all ranks. Checksums travel in halves, since signed sums must not overflow. */
static sr_status gather(sr_output *output, kept *of) {
  int64_t sum[3] = {of->written, (int64_t)(of->checksum & UINT32_MAX), (int64_t)(of->checksum >> 32)};
  SR_TRY(sr_comm_sum_i64(output->comm, sum, 3));
  of->checksum = (uint64_t)sum[1] + ((uint64_t)sum[2] << 32);
  if (sum[0] == of->dims[0]) return SR_OK;
  return sr_fail(SR_ERR_INTERNAL, "%s: dataset '%s': %" PRId64 " rows of %" PRId64 " were written",
                 sr_shown(output->file.path), of->name, sum[0], of->dims[0]);
}

static bool add_dataset(const kept *of, json_t *shapes, json_t *checksums) {
  char hex[20];
  json_t *dims = json_array();
  bool good = dims != NULL;
  for (int i = 0; i < of->rank && good; i++) good = json_array_append_new(dims, json_integer(of->dims[i])) == 0;
  snprintf(hex, sizeof hex, "%016" PRIx64, of->checksum);
  return json_object_set_new(shapes, of->name, dims) == 0 && good &&
         json_object_set_new(checksums, of->name, json_string(hex)) == 0;
}

/* Adds shapes and checksums to the caller's object. */
static bool add_datasets(const sr_output *output, json_t *object) {
  json_t *shapes = json_object(), *checksums = json_pack("{ss}", "method", CHECKSUM_METHOD);
  bool good = json_object_set(object, "shapes", shapes) == 0 && json_object_set(object, "checksums", checksums) == 0;
  for (int i = 0; i < output->n && good; i++) good = add_dataset(&output->dataset[i], shapes, checksums);
  json_decref(shapes);
  json_decref(checksums);
  return good;
}

/* The caller frees the text. */
static sr_status complete_provenance(const sr_output *output, const char *provenance, char **text) {
  json_error_t error;
  json_t *object = json_loads(provenance ? provenance : "{}", 0, &error);
  if (!json_is_object(object)) {
    json_decref(object);
    return sr_fail(SR_ERR_ARGUMENT, "%s: the provenance is not a JSON object", sr_shown(output->file.path));
  }
  *text = add_datasets(output, object) ? json_dumps(object, JSON_COMPACT) : NULL;
  json_decref(object);
  return *text ? SR_OK : sr_fail(SR_ERR_RESOURCE, "%s: no memory for the provenance", sr_shown(output->file.path));
}

static sr_status finish(sr_output *output, const char *provenance) {
  char *text = NULL;
  SR_TRY(complete_provenance(output, provenance, &text));
  sr_status status = sr_output_file_finish(&output->file, text);
  free(text);
  return status;
}

static sr_status sync_rows(const sr_output *output) {
  if (fsync(output->fd) == 0) return SR_OK;
  return sr_fail(sr_file_status(errno), "%s: did not reach the disk: %s", sr_shown(output->file.path), strerror(errno));
}

static sr_status commit_everywhere(sr_output *output, sr_status mine, const char *provenance) {
  if (mine == SR_OK) mine = sync_rows(output);
  SR_TRY(sr_agree(output->comm, mine));
  for (int i = 0; i < output->n; i++) SR_TRY(gather(output, &output->dataset[i]));
  return sr_agree(output->comm, output->rank == 0 ? finish(output, provenance) : SR_OK);
}

sr_status sr_output_commit(sr_output **output, sr_status mine, const char *provenance) {
  sr_output *done = *output;
  *output = NULL;
  if (!done) return mine != SR_OK ? mine : sr_fail(SR_ERR_ARGUMENT, "there is no output to complete");
  sr_status status = commit_everywhere(done, mine, provenance);
  if (done->rank == 0) sr_output_file_remove(&done->file);
  free_output(done);
  return status;
}

void sr_output_attention(int64_t q_len, int64_t q_heads, int64_t value_dim, sr_dtype out_dtype, sr_dtype lse_dtype,
                         sr_output_dataset dataset[SR_OUTPUT_TENSORS]) {
  dataset[SR_OUTPUT_O] = (sr_output_dataset){.name = "o",
                                             .long_name = "attention output",
                                             .units = "1",
                                             .dtype = out_dtype,
                                             .rank = 3,
                                             .dims = {q_len, q_heads, value_dim},
                                             .dimension = {"token", "head", "value"}};
  dataset[SR_OUTPUT_LSE] = (sr_output_dataset){.name = "lse",
                                               .long_name = "natural logarithm of the sum of exp(scaled scores)",
                                               .units = "1",
                                               .dtype = lse_dtype,
                                               .rank = 2,
                                               .dims = {q_len, q_heads},
                                               .dimension = {"token", "head"}};
}
