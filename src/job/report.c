#include "report.h"

#include "base/error.h"
#include "base/memory.h"
#include "comm/comm.h"

void sr_strategy_of(const sr_plan_info *plan, char text[SR_STRATEGY_TEXT]) {
  sr_strategy_words words = {.strategy = plan->strategy};
  if (plan->strategy == SR_STRATEGY_HYBRID)
    words.head_ranks = plan->head_ranks, words.ring_ranks = plan->ranks / plan->head_ranks;
  sr_strategy_write(&words, text);
}

sr_status sr_spread_find(MPI_Comm comm, double mine, sr_spread *spread) {
  int ranks;
  SR_TRY(sr_mpi(MPI_Comm_size(comm, &ranks), "MPI_Comm_size"));
  double ends[2] = {mine, -mine}, sum = mine;
  SR_TRY(sr_comm_max(comm, ends, 2));
  SR_TRY(sr_comm_sum(comm, &sum, 1));
  *spread = (sr_spread){.min = -ends[1], .mean = sum / ranks, .max = ends[0]};
  return SR_OK;
}

sr_status sr_report_plan(MPI_Comm comm, sr_attend_report *report) {
  const sr_plan_info *plan = &report->plan;
  double workspace = (double)plan->workspace, tensors = (double)plan->tensor_bytes;
  SR_TRY(sr_spread_find(comm, (double)plan->q_rows, &report->q_rows));
  SR_TRY(sr_spread_find(comm, workspace, &report->workspace));
  SR_TRY(sr_spread_find(comm, tensors, &report->tensors));
  SR_TRY(sr_spread_find(comm, workspace + tensors, &report->memory));
  return sr_spread_find(comm, (double)plan->sent_bytes, &report->sent);
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
