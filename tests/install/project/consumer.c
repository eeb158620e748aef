/* Attention over equal keys: every query gets the mean of the values it sees, whatever the number of ranks. */
#include <math.h>
#include <seqring/seqring.h>
#include <stdio.h>
#include <stdlib.h>

enum { TOKENS = 1500, HEADS = 2, WIDTH = 4 };

static int wrong_rows(const sr_plan *plan, const float *o, const float *lse) {
  sr_rows rows;
  sr_plan_q_rows(plan, &rows);
  int wrong = 0;
  int64_t row = 0;
  for (int s = 0; s < rows.n_spans; s++) {
    for (int64_t i = rows.span[s].start; i < rows.span[s].start + rows.span[s].count; i++, row++) {
      double mean = (double)i / 2, log_keys = log((double)i + 1);
      for (int h = 0; h < HEADS; h++) {
        if (!(fabs((double)o[(row * HEADS + h) * WIDTH] - mean) <= 1e-6 * (1 + mean))) wrong++;
        if (!(fabs((double)lse[row * HEADS + h] - log_keys) <= 1e-5)) wrong++;
      }
    }
  }
  return wrong;
}

static int attend(sr_plan *plan) {
  sr_rows q_rows, kv_rows;
  sr_plan_q_rows(plan, &q_rows);
  sr_plan_kv_rows(plan, &kv_rows);
  size_t q_size = (size_t)(q_rows.count * HEADS * WIDTH) + 1, kv_size = (size_t)(kv_rows.count * WIDTH) + 1;
  float *q = calloc(q_size, sizeof *q), *o = calloc(q_size, sizeof *o), *lse = calloc(q_size, sizeof *lse);
  float *k = calloc(kv_size, sizeof *k), *v = calloc(kv_size, sizeof *v);
  int wrong = 1;
  if (q && o && lse && k && v) {
    int64_t row = 0;
    for (int s = 0; s < kv_rows.n_spans; s++)
      for (int64_t j = 0; j < kv_rows.span[s].count; j++, row++) v[row * WIDTH] = (float)(kv_rows.span[s].start + j);
    if (sr_plan_forward(plan, &(sr_tensors){.q = q, .k = k, .v = v, .o = o, .lse = lse}) == SR_OK)
      wrong = wrong_rows(plan, o, lse);
    else
      fprintf(stderr, "%s\n", sr_error_text());
  }
  free(q), free(k), free(v), free(o), free(lse);
  return wrong;
}

int main(int argc, char **argv) {
  MPI_Init(&argc, &argv);
  sr_options options;
  sr_options_default(&options);
  options.q_len = options.kv_len = TOKENS;
  options.q_heads = HEADS;
  options.kv_heads = 1;
  options.head_dim = options.value_dim = WIDTH;
  options.mask.causal = true;
  sr_plan *plan = NULL;
  int wrong = 1;
  if (sr_plan_create(MPI_COMM_WORLD, &options, &plan) == SR_OK)
    wrong = attend(plan);
  else
    fprintf(stderr, "%s\n", sr_error_text());
  sr_plan_destroy(&plan);
  MPI_Finalize();
  if (wrong) fprintf(stderr, "%d values are wrong\n", wrong);
  return wrong != 0;
}
