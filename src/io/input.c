#include <errno.h>
#include <inttypes.h>
#include <seqring/io.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/rows.h"
#include "file.h"
#include "h5.h"

/* Bytes that one H5Dread moves at most, unless a row of chunks is larger. */
enum { SLAB = 64 << 20 };

/* A tensor that is read through HDF5. */
typedef struct stream {
  hid_t id, space, type;
  int64_t chunk_rows; /* rows that are decoded together */
} stream;

struct sr_input {
  sr_input_info info;
  int fd;
  hid_t file; /* negative when all tensors are read with pread */
  stream stream[SR_INPUT_DATASETS];
};

static sr_status check_unchanged(const sr_input_info *info, const struct stat *about) {
  return sr_file_check_same(info->path, info->inode, info->size, info->mtime_ns, about);
}

/* Whether there is such a dataset, and HDF5 must read it. */
static bool is_streamed(const sr_input *input, int tensor) {
  return input->info.dataset[tensor].rank > 0 && input->info.dataset[tensor].offset < 0;
}

static void say_where(const sr_input *input, sr_input_tensor tensor, char *where, size_t size) {
  snprintf(where, size, "%s: dataset '%s'", sr_shown(input->info.path), input->info.dataset[tensor].name);
}

static sr_status open_stream(sr_input *input, hid_t group, sr_input_tensor tensor) {
  stream *s = &input->stream[tensor];
  char where[SR_WHERE_TEXT];
  say_where(input, tensor, where, sizeof where);
  const sr_dataset_info *dataset = &input->info.dataset[tensor];
  hsize_t chunk[3] = {1};
  s->id = H5Dopen2(group, dataset->name, H5P_DEFAULT);
  s->type = sr_h5_type(dataset->dtype);
  hid_t plist = s->id < 0 ? s->id : H5Dget_create_plist(s->id);
  s->space = plist < 0 ? plist : H5Dget_space(s->id);
  sr_status status = SR_OK;
  if (s->space < 0 || s->type < 0 ||
      (H5Pget_layout(plist) == H5D_CHUNKED && H5Pget_chunk(plist, dataset->rank, chunk) != dataset->rank))
    status = sr_h5_fail(SR_ERR_INPUT, "%s: it cannot be opened", where);
  if (plist >= 0) H5Pclose(plist);
  s->chunk_rows = (int64_t)chunk[0];
  return status;
}

/* HDF5 opens the file by its name once more: the check is that it got the same one. */
static sr_status open_streams(sr_input *input) {
  const char *shown = sr_shown(input->info.path);
  struct stat about;
  int *fd = NULL;
  input->file = sr_h5_open(input->info.path);
  if (input->file < 0) return sr_h5_fail(SR_ERR_INPUT, "%s: HDF5 cannot open it", shown);
  if (H5Fget_vfd_handle(input->file, H5P_DEFAULT, (void **)&fd) < 0 || !fd || fstat(*fd, &about))
    return sr_h5_fail(SR_ERR_INPUT, "%s: HDF5 does not tell which file it opened", shown);
  SR_TRY(check_unchanged(&input->info, &about));
  hid_t group = H5Gopen2(input->file, input->info.group, H5P_DEFAULT);
  if (group < 0) return sr_h5_fail(SR_ERR_INPUT, "%s: group '%s' cannot be opened", shown, sr_shown(input->info.group));
  sr_status status = SR_OK;
  for (int t = 0; t < SR_INPUT_DATASETS && status == SR_OK; t++)
    if (is_streamed(input, t)) status = open_stream(input, group, (sr_input_tensor)t);
  H5Gclose(group);
  return status;
}

static sr_status open_input(sr_input *input) {
  struct stat about;
  SR_TRY(sr_file_open(input->info.path, &input->fd, &about));
  SR_TRY(check_unchanged(&input->info, &about));
  bool through_hdf5 = false;
  for (int t = 0; t < SR_INPUT_DATASETS; t++) through_hdf5 = through_hdf5 || is_streamed(input, t);
  if (!through_hdf5) return SR_OK;
  sr_h5_quiet quiet;
  sr_h5_begin(&quiet);
  sr_status status = open_streams(input);
  sr_h5_end(&quiet);
  return status;
}

sr_status sr_input_open(const sr_input_info *info, sr_input **input) {
  *input = calloc(1, sizeof **input);
  if (!*input) return sr_fail(SR_ERR_RESOURCE, "%s: no memory to open it", sr_shown(info->path));
  (*input)->info = *info;
  (*input)->fd = -1;
  (*input)->file = H5I_INVALID_HID;
  for (int t = 0; t < SR_INPUT_DATASETS; t++)
    (*input)->stream[t] = (stream){H5I_INVALID_HID, H5I_INVALID_HID, H5I_INVALID_HID, 1};
  sr_status status = open_input(*input);
  if (status != SR_OK) sr_input_close(input);
  return status;
}

/* Selects the rows that lie in the slab, and returns how many they are; -1 when HDF5 fails. */
static int64_t select_rows(const stream *s, const sr_dataset_info *dataset, const sr_rows *rows, sr_span slab) {
  const int64_t slab_end = slab.start + slab.count;
  int64_t n = 0;
  bool good = H5Sselect_none(s->space) >= 0;
  for (int i = 0; i < rows->n_spans && rows->span[i].start < slab_end && good; i++) {
    const sr_span span = rows->span[i];
    const int64_t from = span.start > slab.start ? span.start : slab.start, end = span.start + span.count;
    const int64_t n_rows = (end < slab_end ? end : slab_end) - from;
    if (n_rows <= 0) continue;
    const hsize_t start[3] = {(hsize_t)from, 0, 0};
    const hsize_t count[3] = {(hsize_t)n_rows, (hsize_t)dataset->dims[1], (hsize_t)dataset->dims[2]};
    good = H5Sselect_hyperslab(s->space, H5S_SELECT_OR, start, NULL, count, NULL) >= 0;
    n += n_rows;
  }
  return good ? n : -1;
}

/* Reads the rows that lie in the slab, and tells how many they are. */
static sr_status read_slab(sr_input *input, sr_input_tensor tensor, const sr_rows *rows, sr_span slab, void *to,
                           int64_t *n) {
  const stream *s = &input->stream[tensor];
  const sr_dataset_info *dataset = &input->info.dataset[tensor];
  *n = select_rows(s, dataset, rows, slab);
  hsize_t count[3] = {(hsize_t)*n, (hsize_t)dataset->dims[1], (hsize_t)dataset->dims[2]};
  hid_t memory = *n < 0 ? H5I_INVALID_HID : H5Screate_simple(dataset->rank, count, NULL);
  bool good = memory >= 0 && H5Dread(s->id, s->type, memory, s->space, H5P_DEFAULT, to) >= 0;
  sr_status status = SR_OK;
  if (!good) {
    const int64_t end = slab.start + slab.count < dataset->dims[0] ? slab.start + slab.count : dataset->dims[0];
    char where[SR_WHERE_TEXT];
    say_where(input, tensor, where, sizeof where);
    status = sr_h5_fail(SR_ERR_INPUT, "%s: rows %" PRId64 " to %" PRId64 " cannot be read", where, slab.start, end - 1);
  }
  if (memory >= 0) H5Sclose(memory);
  return status;
}

/* Where a slab of up to `chunks` rows of chunks ends that begins with row `from` of the first span. A row of chunks
 * which the next span begins in, too, is a slab of its own for all its spans, so that it is decoded once; apart from
 * that spans are read one by one, since HDF5 is slow to find several of them in many chunks. */
static int64_t slab_end(const sr_rows *rows, int64_t from, int64_t chunk_rows, int64_t chunks) {
  const int64_t span_end = rows->span[0].start + rows->span[0].count;
  const int64_t last_chunk = (span_end - 1) / chunk_rows * chunk_rows;
  const bool shared = rows->n_spans > 1 && rows->span[1].start < last_chunk + chunk_rows;
  if (shared && from >= last_chunk) return last_chunk + chunk_rows;
  const int64_t end = shared ? last_chunk : span_end, most = (from / chunk_rows + chunks) * chunk_rows;
  return most < end ? most : end;
}

static sr_status read_through_hdf5(sr_input *input, sr_input_tensor tensor, const sr_rows *rows, uint64_t row_bytes,
                                   char *to) {
  const int64_t chunk_rows = input->stream[tensor].chunk_rows;
  int64_t chunks = (int64_t)(SLAB / row_bytes) / chunk_rows, from = 0;
  if (chunks < 1) chunks = 1;
  sr_status status = SR_OK;
  sr_h5_quiet quiet;
  sr_h5_begin(&quiet);
  for (int i = 0; i < rows->n_spans; i++) {
    const sr_rows left = {.n_spans = rows->n_spans - i, .span = rows->span + i};
    const sr_span span = left.span[0];
    if (span.start > from) from = span.start;
    while (from < span.start + span.count && status == SR_OK) {
      const int64_t end = slab_end(&left, from, chunk_rows, chunks);
      int64_t n;
      status = read_slab(input, tensor, &left, (sr_span){from, end - from}, to, &n);
      to += (uint64_t)n * row_bytes;
      from = end;
    }
  }
  sr_h5_end(&quiet);
  return status;
}

sr_status sr_input_read(sr_input *input, sr_input_tensor tensor, const sr_rows *rows, void *to) {
  const sr_dataset_info *dataset = &input->info.dataset[tensor];
  uint64_t row_bytes = sr_dtype_size(dataset->dtype);
  for (int i = 1; i < dataset->rank; i++) row_bytes *= (uint64_t)dataset->dims[i];
  char where[SR_WHERE_TEXT], *at = to;
  say_where(input, tensor, where, sizeof where);
  SR_TRY(sr_rows_check(rows, dataset->dims[0], where, "asked for"));
  if (dataset->offset < 0) return read_through_hdf5(input, tensor, rows, row_bytes, to);
  for (int i = 0; i < rows->n_spans; i++) {
    const sr_span span = rows->span[i];
    const uint64_t bytes = (uint64_t)span.count * row_bytes;
    SR_TRY(sr_file_read(input->fd, where, at, bytes, (uint64_t)dataset->offset + (uint64_t)span.start * row_bytes));
    at += bytes;
  }
  return SR_OK;
}

int64_t sr_input_chunk_rows(const sr_input *input, sr_input_tensor tensor) {
  return input->stream[tensor].chunk_rows;
}

static sr_status check_documents(const sr_input *input, const int64_t *begin) {
  char where[SR_WHERE_TEXT];
  say_where(input, SR_INPUT_DOCUMENTS, where, sizeof where);
  const int64_t wrong = sr_part_wrong(begin, input->info.n_documents, input->info.kv_len);
  if (wrong == input->info.n_documents) return SR_OK;
  if (wrong == 0) return sr_fail(SR_ERR_INPUT, "%s begins with %" PRId64 ", not with 0", where, begin[0]);
  return sr_fail(SR_ERR_INPUT, "%s: element %" PRId64 " is %" PRId64 ", not from %" PRId64 " to the %" PRId64 " keys",
                 where, wrong, begin[wrong], begin[wrong - 1], input->info.kv_len);
}

sr_status sr_input_documents(sr_input *input, int64_t *begin) {
  const sr_dataset_info *dataset = &input->info.dataset[SR_INPUT_DOCUMENTS];
  const int64_t n = dataset->dims[0];
  const sr_span all = {0, n};
  const sr_rows rows = {.count = n, .n_spans = 1, .span = &all};
  const char *narrow = (const char *)begin + n * 4; /* where int32 lies until it is widened, front to back */
  const bool widens = dataset->dtype == SR_I32;
  SR_TRY(sr_input_read(input, SR_INPUT_DOCUMENTS, &rows, widens ? (char *)begin + n * 4 : (char *)begin));
  for (int64_t i = 0; i < n && widens; i++) {
    int32_t value;
    memcpy(&value, narrow + i * 4, sizeof value);
    begin[i] = value;
  }
  return n > 0 ? check_documents(input, begin) : SR_OK;
}

static void close_streams(sr_input *input) {
  sr_h5_quiet quiet;
  sr_h5_begin(&quiet);
  for (int t = 0; t < SR_INPUT_DATASETS; t++) {
    stream *s = &input->stream[t];
    if (s->type >= 0) H5Tclose(s->type);
    if (s->space >= 0) H5Sclose(s->space);
    if (s->id >= 0) H5Dclose(s->id);
  }
  H5Fclose(input->file);
  sr_h5_end(&quiet);
}

void sr_input_close(sr_input **input) {
  if (!*input) return;
  if ((*input)->file >= 0) close_streams(*input);
  if ((*input)->fd >= 0) close((*input)->fd);
  free(*input);
  *input = NULL;
}
