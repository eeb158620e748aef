/* 1. Attention on one rank: options, plan, forward, destroy.
 *
 * Three queries look at three keys. Key j is the j-th unit vector times 10, and query i looks for key i, so that o[i]
 * comes out close to v[i]. Run it alone: ./01_one_rank
 */
#include <seqring/seqring.h>
#include <stdio.h>

int main(int argc, char **argv) {
  MPI_Init(&argc, &argv);

  sr_options options;
  sr_options_default(&options);
  options.q_len = options.kv_len = 3;
  options.q_heads = options.kv_heads = 1;
  options.head_dim = 3;
  options.value_dim = 2;

  const float q[3][3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
  const float k[3][3] = {{10, 0, 0}, {0, 10, 0}, {0, 0, 10}};
  const float v[3][2] = {{1, -1}, {2, -2}, {3, -3}};
  float o[3][2], lse[3];

  sr_plan *plan;
  sr_status status = sr_plan_create(MPI_COMM_SELF, &options, &plan);
  if (status == SR_OK) status = sr_plan_forward(plan, &(sr_tensors){.q = q, .k = k, .v = v, .o = o, .lse = lse});
  if (status != SR_OK) fprintf(stderr, "%s\n", sr_error_text());
  if (status == SR_OK)
    for (int i = 0; i < 3; i++) printf("query %d: o = (%6.3f, %6.3f)  lse = %.3f\n", i, o[i][0], o[i][1], lse[i]);

  if (plan) sr_plan_destroy(&plan);
  MPI_Finalize();
  return status != SR_OK;
}
