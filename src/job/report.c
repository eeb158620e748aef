#include "report.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "comm/comm.h"

void sr_strategy_keep(const sr_plan_info *chosen, sr_options *options) {
  options->strategy = chosen->strategy;
  options->balance = chosen->balance;
  options->head_ranks = chosen->strategy == SR_STRATEGY_HYBRID ? chosen->head_ranks : 0;
}

void sr_strategy_of(const sr_plan_info *plan, char text[SR_STRATEGY_TEXT]) {
  sr_strategy_words words = {.strategy = plan->strategy};
  if (plan->strategy == SR_STRATEGY_HYBRID)
    words.head_ranks = plan->head_ranks, words.ring_ranks = plan->ranks / plan->head_ranks;
  sr_strategy_write(&words, text);
}

sr_status sr_strategy_fits(MPI_Comm comm, const sr_strategy_words *words) {
  const int64_t named = (int64_t)words->head_ranks * words->ring_ranks;
  int ranks;
  SR_TRY(sr_comm_size(comm, &ranks));
  if (!words->head_ranks || named == ranks) return SR_OK;
  return sr_fail(SR_ERR_ARGUMENT, "hybrid:%dx%d is for %lld ranks, not %d", words->head_ranks, words->ring_ranks,
                 (long long)named, ranks);
}

sr_status sr_report_plan(MPI_Comm comm, sr_attend_report *report) {
  const sr_plan_info *plan = &report->plan;
  double workspace = (double)plan->workspace, tensors = (double)plan->tensor_bytes, shared = (double)plan->shared;
  SR_TRY(sr_spread_find(comm, (double)plan->q_rows, &report->q_rows));
  SR_TRY(sr_spread_find(comm, workspace, &report->workspace));
  SR_TRY(sr_spread_find(comm, shared, &report->shared));
  SR_TRY(sr_spread_find(comm, tensors, &report->tensors));
  SR_TRY(sr_spread_find(comm, workspace + (double)plan->touched + tensors, &report->memory));
  SR_TRY(sr_spread_find(comm, (double)plan->far_bytes, &report->far));
  return sr_spread_find(comm, (double)plan->sent_bytes, &report->sent);
}

sr_status sr_report_places(MPI_Comm comm, const sr_placement *mine, sr_attend_report *report) {
  report->place = calloc((size_t)report->plan.ranks, sizeof *report->place);
  SR_TRY(sr_agree_memory(comm, report->place, "to report where ranks are"));
  return sr_comm_gather(comm, mine, (int)sizeof *mine, report->place, 0);
}

/* Work, wait and bytes of this rank's steps, as rows of n, 0 where it has fewer. */
static void list_steps(const sr_plan *plan, int64_t n, double *value) {
  int64_t mine;
  const sr_step_stats *step = sr_plan_steps(plan, &mine);
  for (int64_t i = 0; i < mine; i++) {
    value[i] = step[i].work_s;
    value[n + i] = step[i].wait_s;
    value[2 * n + i] = (double)step[i].sent_bytes;
  }
}

/* value: [3][3 n]: what list_steps says, for sums, largest and, negative, least values. */
static sr_status reduce_steps(MPI_Comm comm, int64_t n, double *value, sr_attend_report *report) {
  for (int64_t i = 0; i < 3 * n; i++) value[3 * n + i] = value[i], value[6 * n + i] = -value[i];
  SR_TRY(sr_comm_sum(comm, value, 3 * n));
  SR_TRY(sr_comm_max(comm, value + 3 * n, 6 * n));
  for (int64_t i = 0; i < n; i++) {
    const double *most = value + 3 * n, *least = value + 6 * n, ranks = report->plan.ranks;
    report->step[i] = (sr_step_report){.work_s = {-least[i], value[i] / ranks, most[i]},
                                       .wait_s = {-least[n + i], value[n + i] / ranks, most[n + i]},
                                       .sent = value[2 * n + i]};
  }
  return SR_OK;
}

sr_status sr_report_steps(MPI_Comm comm, const sr_plan *plan, sr_attend_report *report) {
  int64_t n;
  sr_plan_steps(plan, &n);
  SR_TRY(sr_comm_max_i64(comm, &n, 1));
  double *value = calloc((size_t)(9 * n + 1), sizeof *value);
  report->step = calloc((size_t)n + 1, sizeof *report->step);
  sr_status status = sr_agree_memory(comm, value && report->step, "to report steps");
  if (status == SR_OK) {
    list_steps(plan, n, value);
    report->n_steps = n;
    status = reduce_steps(comm, n, value, report);
  }
  free(value);
  return status;
}

sr_status sr_report_run(MPI_Comm comm, const sr_measured *mine, int64_t q_len, sr_attend_report *report) {
  SR_TRY(sr_spread_find(comm, mine->read_s, &report->read_s));
  SR_TRY(sr_spread_find(comm, mine->plan.attention_s, &report->attention_s));
  SR_TRY(sr_spread_find(comm, mine->plan.wait_s, &report->wait_s));
  SR_TRY(sr_spread_find(comm, mine->write_s, &report->write_s));
  SR_TRY(sr_spread_find(comm, (double)mine->plan.sent_bytes, &report->sent));
  SR_TRY(sr_spread_find(comm, (double)sr_memory_peak(), &report->peak));
  report->wall_s = mine->wall_s;
  SR_TRY(sr_comm_max(comm, &report->wall_s, 1));
  report->nonfinite = mine->plan.nonfinite;
  double seconds = report->attention_s.max;
  report->tokens_per_s = seconds > 0 ? (double)q_len / seconds : 0;
  report->gflops = seconds > 0 ? report->plan.flops / seconds * 1e-9 : 0;
  return SR_OK;
}
