/* Looks at an input through libseqring_io and reads its first row of k on every rank. */
#include <seqring/io.h>
#include <stdio.h>
#include <stdlib.h>

static sr_status read_first_key(const sr_input_info *info) {
  sr_input *input = NULL;
  sr_status status = sr_input_open(info, &input);
  if (status) return status;
  void *row = malloc((size_t)(info->kv_heads * info->head_dim) * sr_dtype_size(info->dtype));
  sr_span first = {.start = 0, .count = 1};
  status = row ? sr_input_read(input, SR_INPUT_K, &(sr_rows){.count = 1, .n_spans = 1, .span = &first}, row)
               : SR_ERR_RESOURCE;
  free(row);
  sr_input_close(&input);
  return status;
}

int main(int argc, char **argv) {
  static sr_input_info info;
  sr_status status = sr_input_probe(argc > 1 ? argv[1] : "", NULL, &info);
  MPI_Init(&argc, &argv);
  if (status == SR_OK) status = read_first_key(&info);
  if (status) fprintf(stderr, "%s\n", sr_error_text());
  MPI_Finalize();
  return status != SR_OK;
}
