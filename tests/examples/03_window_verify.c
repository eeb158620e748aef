/* 3. Masks, grouped heads, and an output that checks itself.
 *
 * Four query heads share one KV head (multi-query attention); a query sees itself and the 100 tokens before it. After
 * the run, 20 queries are recomputed in float64 by the plain definition. Run it: mpirun -n 2 ./03_window_verify
 */
#include <seqring/seqring.h>
#include <stdio.h>
#include <stdlib.h>

enum { TOKENS = 3000, Q_HEADS = 4, DIM = 32 };

static float *random_rows(int64_t rows, int width, unsigned seed) {
  size_t n = (size_t)rows * (size_t)width;
  float *tensor = malloc(sizeof(float) * (n ? n : 1));
  for (size_t i = 0; tensor && i < n; i++) {
    seed = seed * 1664525u + 1013904223u;
    tensor[i] = (float)(seed >> 8) / (float)(1 << 23) - 1;
  }
  return tensor;
}

static sr_status attend_and_verify(sr_plan *plan, sr_verify_result *result) {
  sr_rows q_rows, kv_rows;
  sr_plan_q_rows(plan, &q_rows);
  sr_plan_kv_rows(plan, &kv_rows);
  unsigned start = q_rows.n_spans ? (unsigned)q_rows.span[0].start : 0;
  float *q = random_rows(q_rows.count, Q_HEADS * DIM, start), *k = random_rows(kv_rows.count, DIM, start + 1);
  float *v = random_rows(kv_rows.count, DIM, start + 2), *o = random_rows(q_rows.count, Q_HEADS * DIM, 0);
  float *lse = random_rows(q_rows.count, Q_HEADS, 0);
  sr_tensors tensors = {.q = q, .k = k, .v = v, .o = o, .lse = lse};
  sr_status status = q && k && v && o && lse ? SR_OK : SR_ERR_RESOURCE;
  if (status == SR_OK) status = sr_plan_forward(plan, &tensors);
  if (status == SR_OK) status = sr_plan_verify(plan, &tensors, 20, 1, result);
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
  options.q_heads = Q_HEADS;
  options.kv_heads = 1;
  options.head_dim = options.value_dim = DIM;
  options.mask.causal = true;
  options.mask.window_left = 100;

  sr_plan *plan;
  sr_verify_result result;
  sr_status status = sr_plan_create(MPI_COMM_WORLD, &options, &plan);
  if (status == SR_OK) status = attend_and_verify(plan, &result);
  if (rank == 0 && status == SR_OK)
    printf("%lld rows recomputed in float64: largest error of o %.1e, of lse %.1e\n", (long long)result.rows,
           result.o_error, result.lse_error);
  if (rank == 0 && status != SR_OK) fprintf(stderr, "%s\n", sr_error_text());

  if (plan) sr_plan_destroy(&plan);
  MPI_Finalize();
  return status != SR_OK;
}
