#include "base/clock.h"
#include "base/error.h"
#include "comm/comm.h"
#include "decode.h"
#include "travel.h"

sr_status sr_plan_refuse_nonfinite(const sr_plan *plan) {
  if (!plan->d.opt.refuse_nonfinite || plan->stats.nonfinite == 0) return SR_OK;
  return sr_fail(SR_ERR_NONFINITE, "%lld visible elements of q, k and v are NaN or Inf",
                 (long long)plan->stats.nonfinite);
}

void sr_plan_progress(const sr_plan *plan, const int64_t *done) {
  const sr_options *o = &plan->d.opt;
  if (!o->progress) return;
  int64_t now;
#pragma omp atomic read
  now = *done;
  double total = plan->d.rank_pairs * (double)plan->d.work.q_heads;
  if (total == 0) return;
  o->progress(o->progress_data, now, total < 0x1p62 ? (int64_t)total : INT64_C(1) << 62);
}

sr_status sr_plan_forward(sr_plan *plan, const sr_tensors *tensors) {
  double start = sr_now();
  plan->stats = (sr_plan_stats){0};
  plan->steps_taken = 0;
  SR_TRY(sr_agree(plan->comm, sr_plan_check_tensors(plan, tensors)));
  SR_TRY(sr_decision_decodes(&plan->d) ? sr_plan_decode(plan, tensors) : sr_plan_travel(plan, tensors));
  plan->stats.attention_s = sr_now() - start;
  return SR_OK;
}
