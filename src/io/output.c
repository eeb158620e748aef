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
#include "comm/comm.h"
#include "file.h"
#include "output_file.h"

/* Each row's hash is seeded with the row's number and all are added up, so that the sum depends on what stands in which
 * row but not on who wrote it when. */
#define CHECKSUM_METHOD "sum over rows r of XXH3-64(bytes of row r, seed r) modulo 2^64"

static const char *const tensor_names[2] = {"o", "lse"};

struct sr_output {
  MPI_Comm comm;
  int rank, fd;
  int64_t dims[3]; /* q_len, q_heads, value_dim */
  sr_output_file file;
  int64_t written[2]; /* rows by this rank */
  uint64_t checksum[2];
};

static void free_output(sr_output *output) {
  if (output->fd >= 0) close(output->fd);
  sr_comm_free(&output->comm);
  free(output);
}

/* On failure the communicator is left to the caller. */
static sr_status make_everywhere(sr_output *output, const sr_output_spec *spec) {
  SR_TRY(sr_mpi(MPI_Comm_rank(output->comm, &output->rank), "MPI_Comm_rank"));
  sr_status status = output->rank == 0 ? sr_output_file_make(spec, &output->file) : SR_OK;
  SR_TRY(sr_agree(output->comm, status));
  SR_TRY(sr_comm_bcast(output->comm, &output->file, sizeof output->file, 0));
  return sr_agree(output->comm, sr_output_file_open(&output->file, &output->fd));
}

sr_status sr_output_create(MPI_Comm comm, const sr_output_spec *spec, sr_output **output) {
  *output = NULL;
  MPI_Comm copy = MPI_COMM_NULL;
  SR_TRY(sr_comm_dup(comm, &copy));
  sr_output *made = calloc(1, sizeof *made);
  sr_status status = sr_agree(copy, made ? SR_OK : sr_fail(SR_ERR_RESOURCE, "no memory for an output"));
  if (!made || status != SR_OK) {
    free(made);
    sr_comm_free(&copy);
    return status;
  }
  made->comm = copy;
  made->fd = -1;
  made->dims[0] = spec->q_len;
  made->dims[1] = spec->q_heads;
  made->dims[2] = spec->value_dim;
  status = make_everywhere(made, spec);
  if (status == SR_OK) {
    *output = made;
    return SR_OK;
  }
  if (made->rank == 0) sr_output_file_remove(&made->file);
  free_output(made);
  return status;
}

const char *sr_output_partial_path(const sr_output *output) {
  return output->file.partial;
}

sr_status sr_output_write(sr_output *output, sr_output_tensor tensor, const sr_rows *rows, const void *from) {
  const char *at = from;
  uint64_t row_bytes = output->file.row_bytes[tensor];
  char what[900];
  snprintf(what, sizeof what, "%s: dataset '%s'", sr_shown(output->file.path), tensor_names[tensor]);
  for (int i = 0; i < rows->n_spans; i++) {
    sr_span span = rows->span[i];
    if (span.start < 0 || span.count < 0 || span.start > output->dims[0] || span.count > output->dims[0] - span.start)
      return sr_fail(SR_ERR_ARGUMENT,
                     "%s: %" PRId64 " rows from row %" PRId64 " are to be written, and it has %" PRId64, what,
                     span.count, span.start, output->dims[0]);
    SR_TRY(sr_file_write(output->fd, what, at, (uint64_t)span.count * row_bytes,
                         output->file.offset[tensor] + (uint64_t)span.start * row_bytes));
    for (int64_t row = span.start; row < span.start + span.count; row++, at += row_bytes)
      output->checksum[tensor] += XXH3_64bits_withSeed(at, row_bytes, (XXH64_hash_t)row);
    output->written[tensor] += span.count;
  }
  return SR_OK;
}

/* The sums over all ranks. Checksums travel in halves, since signed sums must not overflow. */
static sr_status gather(sr_output *output) {
  int64_t sum[6];
  for (int t = 0; t < 2; t++) {
    sum[3 * t] = output->written[t];
    sum[3 * t + 1] = (int64_t)(output->checksum[t] & UINT32_MAX);
    sum[3 * t + 2] = (int64_t)(output->checksum[t] >> 32);
  }
  SR_TRY(sr_comm_sum_i64(output->comm, sum, 6));
  for (int t = 0; t < 2; t++) {
    if (sum[3 * t] != output->dims[0])
      return sr_fail(SR_ERR_INTERNAL, "%s: dataset '%s': %" PRId64 " rows of %" PRId64 " were written",
                     sr_shown(output->file.path), tensor_names[t], sum[3 * t], output->dims[0]);
    output->checksum[t] = (uint64_t)sum[3 * t + 1] + ((uint64_t)sum[3 * t + 2] << 32);
  }
  return SR_OK;
}

static json_t *checksums(const sr_output *output) {
  char hex[2][20];
  for (int t = 0; t < 2; t++) snprintf(hex[t], sizeof hex[t], "%016" PRIx64, output->checksum[t]);
  return json_pack("{ssssss}", "method", CHECKSUM_METHOD, tensor_names[0], hex[0], tensor_names[1], hex[1]);
}

/* The caller's object with shapes and checksums; the caller frees the text. */
static sr_status complete_provenance(const sr_output *output, const char *provenance, char **text) {
  const int64_t *dims = output->dims;
  json_error_t error;
  json_t *object = json_loads(provenance ? provenance : "{}", 0, &error);
  if (!json_is_object(object)) {
    json_decref(object);
    return sr_fail(SR_ERR_ARGUMENT, "%s: the provenance is not a JSON object", sr_shown(output->file.path));
  }
  json_t *shapes = json_pack("{s[III]s[II]}", "o", (json_int_t)dims[0], (json_int_t)dims[1], (json_int_t)dims[2], "lse",
                             (json_int_t)dims[0], (json_int_t)dims[1]);
  bool good = json_object_set_new(object, "shapes", shapes) == 0 &&
              json_object_set_new(object, "checksums", checksums(output)) == 0;
  *text = good ? json_dumps(object, JSON_COMPACT) : NULL;
  json_decref(object);
  return *text ? SR_OK : sr_fail(SR_ERR_RESOURCE, "%s: no memory for the provenance", sr_shown(output->file.path));
}

static sr_status finish(sr_output *output, const char *provenance) {
  char *text = NULL;
  SR_TRY(complete_provenance(output, provenance, &text));
  sr_status status = sr_output_file_finish(&output->file, output->fd, text);
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
  SR_TRY(gather(output));
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
