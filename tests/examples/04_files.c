/* 4. From file to file: q, k and v from HDF5, o and lse to HDF5, as `seqring attend IN.h5 -o OUT.h5 --causal` does.
 *
 * The input is looked at before MPI_Init, since that forks a child: a damaged file cannot take the job down. Every rank
 * reads and writes its own rows. Run it: mpirun -n 2 ./04_files IN.h5 OUT.h5
 */
#include <seqring/io.h>
#include <seqring/seqring.h>
#include <stdio.h>
#include <stdlib.h>

/* This rank's rows of every tensor. */
typedef struct shard {
  sr_rows q_rows, kv_rows;
  sr_tensors tensors;
  void *block[5]; /* q, k, v, o, lse */
} shard;

static sr_status make_shard(const sr_plan *plan, const sr_input_info *in, shard *s) {
  sr_plan_q_rows(plan, &s->q_rows);
  sr_plan_kv_rows(plan, &s->kv_rows);
  const size_t element = sr_dtype_size(in->dtype);
  const size_t queries = (size_t)(s->q_rows.count * in->q_heads), keys = (size_t)(s->kv_rows.count * in->kv_heads);
  const size_t bytes[5] = {queries * (size_t)in->head_dim * element, keys * (size_t)in->head_dim * element,
                           keys * (size_t)in->value_dim * element, queries * (size_t)in->value_dim * sizeof(float),
                           queries * sizeof(double)};
  for (int i = 0; i < 5; i++)
    if (!(s->block[i] = malloc(bytes[i] ? bytes[i] : 1))) return SR_ERR_RESOURCE;
  s->tensors = (sr_tensors){.q = s->block[0], .k = s->block[1], .v = s->block[2], .o = s->block[3], .lse = s->block[4]};
  return SR_OK;
}

static sr_status read_shard(const sr_input_info *in, shard *s) {
  sr_input *input;
  sr_status status = sr_input_open(in, &input);
  if (status == SR_OK) status = sr_input_read(input, SR_INPUT_Q, &s->q_rows, s->block[0]);
  if (status == SR_OK) status = sr_input_read(input, SR_INPUT_K, &s->kv_rows, s->block[1]);
  if (status == SR_OK) status = sr_input_read(input, SR_INPUT_V, &s->kv_rows, s->block[2]);
  sr_input_close(&input);
  return status;
}

/* The output is complete, or not there: sr_output_commit takes the status that this rank has come to. */
static sr_status write_shard(const sr_input_info *in, const char *path, sr_dtype lse_dtype, const shard *s) {
  sr_output_dataset dataset[SR_OUTPUT_TENSORS];
  sr_output_spec spec = {.path = path, .input = in->path, .n_datasets = SR_OUTPUT_TENSORS, .dataset = dataset};
  sr_output *output;
  sr_output_attention(in->q_len, in->q_heads, in->value_dim, SR_F32, lse_dtype, dataset);
  sr_status status = sr_output_create(MPI_COMM_WORLD, &spec, &output);
  if (status != SR_OK) return status;
  status = sr_output_write(output, SR_OUTPUT_O, &s->q_rows, s->block[3]);
  if (status == SR_OK) status = sr_output_write(output, SR_OUTPUT_LSE, &s->q_rows, s->block[4]);
  return sr_output_commit(&output, status, "{\"program\": \"04_files\"}");
}

static sr_status attend(const sr_input_info *in, const char *path) {
  sr_options options;
  sr_options_default(&options);
  options.q_len = in->q_len, options.kv_len = in->kv_len;
  options.q_heads = in->q_heads, options.kv_heads = in->kv_heads;
  options.head_dim = in->head_dim, options.value_dim = in->value_dim;
  options.dtype = in->dtype;
  options.mask.causal = true;

  sr_plan *plan;
  sr_plan_info info;
  shard s = {.block = {NULL}};
  sr_status status = sr_plan_create(MPI_COMM_WORLD, &options, &plan);
  if (status != SR_OK) return status;
  sr_plan_describe(plan, &info);
  status = make_shard(plan, in, &s);
  if (status == SR_OK) status = read_shard(in, &s);
  /* A rank that failed so far must not leave the others waiting in the forward. */
  int failed = status != SR_OK;
  MPI_Allreduce(MPI_IN_PLACE, &failed, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
  if (failed && status == SR_OK) status = SR_ERR_INPUT;
  if (status == SR_OK) status = sr_plan_forward(plan, &s.tensors);
  if (status == SR_OK) status = write_shard(in, path, info.lse_dtype, &s);
  sr_plan_destroy(&plan);
  for (int i = 0; i < 5; i++) free(s.block[i]);
  return status;
}

int main(int argc, char **argv) {
  if (argc != 3) return fprintf(stderr, "usage: 04_files IN.h5 OUT.h5\n"), 2;
  static sr_input_info in;
  sr_status status = sr_input_probe(argv[1], NULL, &in);

  MPI_Init(&argc, &argv);
  int rank;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  if (status == SR_OK) status = attend(&in, argv[2]);
  if (rank == 0 && status != SR_OK) fprintf(stderr, "%s\n", sr_error_text());
  if (rank == 0 && status == SR_OK)
    printf("%s: %lld tokens, %lld heads\n", argv[2], (long long)in.q_len, (long long)in.q_heads);
  MPI_Finalize();
  return status != SR_OK;
}
