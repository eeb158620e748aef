/* Loaded before libseqring: sr_plan_forward, whose results under a causal mask are wrong. */
#include <dlfcn.h>
#include <seqring/plan.h>

static bool causal;

sr_status sr_plan_create(MPI_Comm comm, const sr_options *options, sr_plan **plan) {
  sr_status (*real)(MPI_Comm, const sr_options *, sr_plan **) = (__typeof__(real))dlsym(RTLD_NEXT, "sr_plan_create");
  causal = options->mask.causal;
  return real(comm, options, plan);
}

/* The last query, which a sample always holds. */
sr_status sr_plan_forward(sr_plan *plan, const sr_tensors *tensors) {
  sr_status (*real)(sr_plan *, const sr_tensors *) = (__typeof__(real))dlsym(RTLD_NEXT, "sr_plan_forward");
  sr_status status = real(plan, tensors);
  sr_plan_info info;
  sr_plan_describe(plan, &info);
  float *lse = tensors->lse;
  if (causal) lse[(info.q_rows - 1) * 8] += 1;
  return status;
}
