/* Usage: io INPUT.h5 FOLDER
 *
 * What a child does cannot hurt its parent; what ranks write comes to stand in one file, or in none. INPUT has q, k and
 * v; FOLDER is made when it is not there. */
#include <errno.h>
#include <seqring/io.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "check.h"
#include "io/isolate.h"

static int rank, ranks;
static sr_input_info info;
static char path[1024];

static sr_status crash(const void *request, void *result) {
  (void)result;
  switch (*(const int *)request) {
  case 0:
    raise(SIGSEGV);
    break;
  case 1:
    abort();
  case 2:
    _exit(0);
  case 3:
    raise(SIGKILL);
    break;
  case 4:
    raise(SIGXCPU);
    break;
  default:
    break;
  }
  return SR_OK;
}

static sr_status answer(const void *request, void *result) {
  printf("a child that is heard\n");
  memcpy(result, request, 4);
  return sr_fail(SR_ERR_RESOURCE, "so be it");
}

static void isolation(void) {
  char result[8] = "";
  CHECK(sr_isolate_seconds(0) == 6 && sr_isolate_seconds(UINT64_C(20) << 30) == 46 &&
        sr_isolate_seconds(UINT64_MAX) == 300);
  for (int how = 0; how < 5; how++) {
    CHECK(sr_isolate("FILE", crash, &how, result, sizeof result) == SR_ERR_INPUT);
    CHECK(strstr(sr_error_text(), "FILE: the HDF5 library") == sr_error_text());
  }
  CHECK(sr_isolate("FILE", answer, "abc", result, sizeof result) == SR_ERR_RESOURCE);
  CHECK(strcmp(result, "abc") == 0 && strcmp(sr_error_text(), "so be it") == 0);
}

/* Row r of o and lse, byte by byte. */
static void make_rows(int64_t row, unsigned char *to, int64_t bytes) {
  for (int64_t i = 0; i < bytes; i++) to[i] = (unsigned char)(row * 7 + i);
}

enum { ROWS = 101, HEADS = 3, WIDTH = 5 };
static sr_output_dataset outputs[SR_OUTPUT_TENSORS];

static sr_output_spec spec_for(const char *to) {
  sr_output_attention(ROWS, HEADS, WIDTH, SR_F32, SR_F64, outputs);
  return (sr_output_spec){.path = to, .input = info.path, .n_datasets = SR_OUTPUT_TENSORS, .dataset = outputs};
}

/* Every ranks-th row by each rank, in spans of one. */
static sr_status write_rows(sr_output *output, int64_t without) {
  int64_t width[2] = {HEADS * WIDTH * 4, HEADS * 8};
  unsigned char bytes[64];
  for (int64_t row = rank; row < ROWS; row += ranks)
    for (int t = 0; t < 2; t++) {
      if (row == without) continue;
      sr_span span = {row, 1};
      make_rows(row, bytes, width[t]);
      SR_TRY(sr_output_write(output, t, &(sr_rows){1, 1, &span}, bytes));
    }
  return SR_OK;
}

static int exists(const char *name) {
  return access(name, F_OK) == 0;
}

static sr_status make_output(const char *to, sr_status last_rank, int64_t without) {
  sr_output *output;
  sr_output_spec spec = spec_for(to);
  SR_TRY(sr_output_create(MPI_COMM_WORLD, &spec, &output));
  char partial[SR_PATH_MAX] = "";
  strcpy(partial, sr_output_partial_path(output));
  CHECK(exists(partial));
  sr_status status = write_rows(output, without);
  CHECK(status == SR_OK);
  if (rank == ranks - 1 && last_rank != SR_OK) status = sr_fail(last_rank, "the last rank's words");
  status = sr_output_commit(&output, status, "{\"why\": \"a test\"}");
  CHECK(output == NULL && (rank != 0 || !exists(partial)));
  return status;
}

static void failures(const char *input) {
  unlink(path);
  MPI_Barrier(MPI_COMM_WORLD);
  CHECK(make_output(path, SR_ERR_NONFINITE, -1) == SR_ERR_NONFINITE);
  CHECK(strcmp(sr_error_text(), "the last rank's words") == 0);
  CHECK(make_output(path, SR_OK, 50) == SR_ERR_INTERNAL);
  CHECK(!exists(path));
  CHECK(make_output(input, SR_OK, -1) == SR_ERR_OUTPUT);
  CHECK(make_output("no such folder/o.h5", SR_OK, -1) == SR_ERR_OUTPUT);
  CHECK(make_output(".", SR_OK, -1) == SR_ERR_OUTPUT);
  CHECK(make_output("/dev/null", SR_OK, -1) == SR_ERR_OUTPUT);
  CHECK(make_output("", SR_OK, -1) == SR_ERR_ARGUMENT);
}

static sr_status try_dataset(const sr_output_dataset *tried) {
  sr_output *output;
  const sr_output_spec spec = {.path = path, .n_datasets = 1, .dataset = tried};
  sr_status status = sr_output_create(MPI_COMM_WORLD, &spec, &output);
  CHECK(output == NULL && !exists(path));
  return status;
}

static void bad_datasets(void) {
  const sr_output_dataset good = {"x", "x", "1", SR_F32, 2, {2, 3}, {"a", "b"}};
  sr_output_dataset bad = good;
  bad.rank = 4;
  CHECK(try_dataset(&bad) == SR_ERR_ARGUMENT);
  bad = good, bad.dims[1] = 0;
  CHECK(try_dataset(&bad) == SR_ERR_ARGUMENT);
  bad = good, bad.dims[0] = bad.dims[1] = INT64_MAX / 2;
  CHECK(try_dataset(&bad) == SR_ERR_ARGUMENT);
  bad = good, bad.dimension[1] = "a";
  CHECK(try_dataset(&bad) == SR_ERR_ARGUMENT && strstr(sr_error_text(), "two lengths"));
  static const char *const names[] = {"a", "", ".", "x/y", NULL}; /* the first one is that of the dimension */
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    bad = good, bad.name = names[i];
    CHECK(try_dataset(&bad) == SR_ERR_ARGUMENT && strstr(sr_error_text(), "its name"));
  }
  char long_name[SR_NAME_MAX + 1] = "";
  memset(long_name, 'x', SR_NAME_MAX);
  bad = good, bad.name = long_name;
  CHECK(try_dataset(&bad) == SR_ERR_ARGUMENT);
  const sr_output_dataset pair[] = {good, good};
  sr_output *output;
  const sr_output_spec twice = {.path = path, .n_datasets = 2, .dataset = pair};
  CHECK(sr_output_create(MPI_COMM_WORLD, &twice, &output) == SR_ERR_ARGUMENT && output == NULL);
  bad = good, bad.dimension[0] = "";
  CHECK(try_dataset(&bad) == SR_ERR_ARGUMENT);
  bad = good, bad.dimension[1] = "b/c";
  CHECK(try_dataset(&bad) == SR_ERR_ARGUMENT && strstr(sr_error_text(), "dimension 'b/c'"));
}

static void bad_texts(void) {
  static const sr_output_dataset good = {"x", "x", "1", SR_F32, 1, {2}, {"a"}};
  static const sr_output_text bad[] = {{"creator", "me"}, {"provenance", "{}"}, {"complete", "no"},
                                       {"", "empty"},     {"t", "1"},           {"t", "2"}};
  const int n = sizeof bad / sizeof *bad;
  for (int i = 0; i < n - 1; i++) { /* the last two together */
    sr_output *output;
    const sr_output_spec spec = {
        .path = path, .n_datasets = 1, .dataset = &good, .n_texts = i == n - 2 ? 2 : 1, .text = &bad[i]};
    CHECK(sr_output_create(MPI_COMM_WORLD, &spec, &output) == SR_ERR_ARGUMENT && output == NULL && !exists(path));
  }
}

/* Rows that overlap would be written twice, in place of others. */
static void rows_that_overlap(void) {
  sr_output *output;
  const sr_output_spec spec = spec_for(path);
  const sr_span twice[] = {{0, 2}, {1, 1}};
  static unsigned char bytes[3 * HEADS * WIDTH * 4];
  CHECK(sr_output_create(MPI_COMM_WORLD, &spec, &output) == SR_OK);
  sr_status status = sr_output_write(output, SR_OUTPUT_O, &(sr_rows){3, 2, twice}, bytes);
  CHECK(status == SR_ERR_ARGUMENT);
  CHECK(sr_output_commit(&output, status, NULL) == SR_ERR_ARGUMENT && !exists(path));
}

/* Reads the rows of a tensor of the file at their place. */
static void check_tensor(const sr_dataset_info *dataset, int64_t width) {
  unsigned char want[64], got[64];
  FILE *file = fopen(path, "rb");
  CHECK(file && dataset->offset > 0 && fseek(file, (long)dataset->offset, SEEK_SET) == 0);
  for (int64_t row = 0; file && row < dataset->dims[0]; row++) {
    make_rows(row, want, width);
    CHECK(fread(got, 1, (size_t)width, file) == (size_t)width && memcmp(want, got, (size_t)width) == 0);
  }
  if (file) fclose(file);
}

static void check_output(void) {
  sr_file_info file;
  CHECK(sr_file_probe(path, NULL, &file) == SR_OK);
  CHECK(file.is_output && file.is_complete && file.provenance && strstr(file.provenance, "a test"));
  int found = 0;
  for (int i = 0; i < file.n_datasets; i++) {
    const sr_dataset_info *dataset = &file.dataset[i];
    bool is_o = !strcmp(dataset->name, "o"), is_lse = !strcmp(dataset->name, "lse");
    if (!is_o && !is_lse) continue;
    found++;
    CHECK(dataset->readable && dataset->rank == (is_o ? 3 : 2) && dataset->dtype == (is_o ? SR_F32 : SR_F64));
    check_tensor(dataset, is_o ? 60 : 24);
  }
  CHECK(found == 2);
  sr_file_info_free(&file);
}

/* The spans that a rank asks for are the rows it gets. */
static void reading(void) {
  sr_input *input;
  CHECK(sr_input_open(&info, &input) == SR_OK);
  size_t row = (size_t)(info.kv_heads * info.head_dim) * sr_dtype_size(info.dtype), rows = (size_t)info.kv_len;
  char *all = malloc(rows * row), *some = malloc(rows * row);
  sr_span whole = {0, info.kv_len}, parts[2] = {{1, 2}, {info.kv_len - 3, 3}}, beyond = {info.kv_len - 1, 2};
  sr_span twice[2] = {{1, 2}, {2, 1}};
  CHECK(sr_input_read(input, SR_INPUT_K, &(sr_rows){info.kv_len, 1, &whole}, all) == SR_OK);
  CHECK(sr_input_read(input, SR_INPUT_K, &(sr_rows){5, 2, parts}, some) == SR_OK);
  CHECK(!memcmp(some, all + row, 2 * row) && !memcmp(some + 2 * row, all + (rows - 3) * row, 3 * row));
  CHECK(sr_input_read(input, SR_INPUT_K, &(sr_rows){2, 1, &beyond}, some) == SR_ERR_ARGUMENT);
  CHECK(sr_input_read(input, SR_INPUT_K, &(sr_rows){3, 2, twice}, some) == SR_ERR_ARGUMENT);
  free(all);
  free(some);
  sr_input_close(&input);
  CHECK(input == NULL);
  sr_input_info old = info;
  old.mtime_ns++;
  CHECK(sr_input_open(&old, &input) == SR_ERR_INPUT && input == NULL);
}

int main(int argc, char **argv) {
  if (argc != 3 || (mkdir(argv[2], 0777) && errno != EEXIST)) return 2;
  isolation();
  CHECK(sr_input_probe(argv[1], "/none", &info) == SR_ERR_INPUT);
  CHECK(sr_input_probe("no such file", NULL, &info) == SR_ERR_INPUT);
  CHECK(sr_input_probe(argv[1], NULL, &info) == SR_OK);
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  snprintf(path, sizeof path, "%s/io_%d.h5", argv[2], ranks);
  reading();
  failures(argv[1]);
  bad_datasets();
  bad_texts();
  rows_that_overlap();
  CHECK(make_output(path, SR_OK, -1) == SR_OK);
  CHECK(make_output(path, SR_OK, -1) == SR_OK); /* replaces the first */
  if (rank == 0) check_output();
  return finish_checks();
}
