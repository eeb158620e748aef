/* 2. Attention over a sharded sequence: every rank holds some rows of q, and some of k and v.
 *
 * The plan says which. Tokens are given by their position here, so that each rank can fill in its own; on any
 * number of ranks o has the same bits. Run it on several: mpirun -n 3 ./02_ring
 */
#include <math.h>
#include <seqring/seqring.h>
#include <stdio.h>
#include <stdlib.h>

enum { TOKENS = 5000, HEADS = 2, DIM = 16 };

/* Fills this rank's rows of one tensor: the spans lie one behind the other. */
static float *fill(const sr_rows *rows, float phase) {
  float *tensor = malloc(sizeof(float) * HEADS * DIM * (size_t)(rows->count ? rows->count : 1)), *at = tensor;
  for (int s = 0; tensor && s < rows->n_spans; s++)
    for (int64_t token = rows->span[s].start; token < rows->span[s].start + rows->span[s].count; token++)
      for (int i = 0; i < HEADS * DIM; i++) *at++ = sinf(phase + 0.37f * (float)token * (float)(i + 1));
  return tensor;
}

/* Forward of what this rank holds, and the sum of all ranks' outputs in *sum. */
static sr_status attend(sr_plan *plan, double *sum) {
  sr_rows q_rows, kv_rows;
  sr_plan_q_rows(plan, &q_rows);
  sr_plan_kv_rows(plan, &kv_rows);
  size_t rows = (size_t)(q_rows.count ? q_rows.count : 1);
  float *q = fill(&q_rows, 0), *k = fill(&kv_rows, 1), *v = fill(&kv_rows, 2);
  float *o = malloc(sizeof(float) * HEADS * DIM * rows), *lse = malloc(sizeof(float) * HEADS * rows);
  sr_status status = q && k && v && o && lse ? SR_OK : SR_ERR_RESOURCE;
  if (status == SR_OK) status = sr_plan_forward(plan, &(sr_tensors){.q = q, .k = k, .v = v, .o = o, .lse = lse});
  for (int64_t i = 0; status == SR_OK && i < q_rows.count * HEADS * DIM; i++) *sum += o[i];
  free(q), free(k), free(v), free(o), free(lse);
  return status;
}

int main(int argc, char **argv) {
  MPI_Init(&argc, &argv);
  int rank;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);

  sr_options options;
  sr_options_default(&options);
  options.q_len = options.kv_len = TOKENS;
  options.q_heads = options.kv_heads = HEADS;
  options.head_dim = options.value_dim = DIM;
  options.mask.causal = true;

  sr_plan *plan;
  double sum = 0;
  sr_status status = sr_plan_create(MPI_COMM_WORLD, &options, &plan);
  if (status == SR_OK) status = attend(plan, &sum);
  if (status == SR_OK) {
    sr_plan_info info;
    sr_plan_describe(plan, &info);
    MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
    if (rank == 0)
      printf("%d ranks, %s, %s: the outputs add up to %.6f\n", info.ranks, sr_strategy_name(info.strategy), sr_balance_name(info.balance), sum);
  } else if (rank == 0) {
    fprintf(stderr, "%s\n", sr_error_text());
  }

  if (plan) sr_plan_destroy(&plan);
  MPI_Finalize();
  return status != SR_OK;
}
