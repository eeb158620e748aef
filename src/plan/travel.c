#include "travel.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "comm/comm.h"
#include "fold.h"
#include "pack.h"

/* The block whose layout a buffer has that a step sends from, or receives to. */
static const sr_block *block_in(const sr_decision *d, int64_t step, int buffer, bool receives) {
  if (receives) return &d->block[step + 1];
  return &d->block[d->schedule.step[step].buffer == buffer ? step : 0];
}

static sr_status add_message(sr_plan *plan, int64_t step, const sr_messages *messages, int64_t i, bool receives) {
  const sr_decision *d = &plan->d;
  const sr_message *m = &messages->message[i];
  sr_transfer *transfer = plan->transfer[step];
  sr_stretch *stretch = malloc((size_t)sr_block_most_stretches(&d->shape, m->tokens) * sizeof *stretch);
  if (!stretch) return sr_fail(SR_ERR_RESOURCE, "no memory for a message");
  const int64_t n = sr_block_stretches(&d->shape, block_in(d, step, messages->buffer, receives), m->tokens,
                                       plan->workspace.buffer[messages->buffer], stretch);
  sr_status status =
      receives ? sr_transfer_receive(transfer, stretch, n, m->rank) : sr_transfer_send(transfer, stretch, n, m->rank);
  free(stretch);
  return status;
}

/* Pieces of this size let progress be seen, and cost little each. */
enum { PIECE = 4 << 20 };

sr_status sr_plan_make_transfers(sr_plan *plan) {
  const sr_decision *d = &plan->d;
  const int64_t steps = d->schedule.n_steps;
  const uint64_t piece = d->opt.piece_bytes ? d->opt.piece_bytes : PIECE;
  if (d->way.head_ranks > 1) SR_TRY(sr_exchange_create(plan->comm, piece, &plan->exchange));
  plan->transfer = calloc((size_t)steps, sizeof *plan->transfer);
  plan->step = calloc((size_t)steps, sizeof *plan->step);
  if ((!plan->transfer || !plan->step) && steps > 0)
    return sr_fail(SR_ERR_RESOURCE, "no memory for %d ranks' messages", d->ranks);
  for (int64_t s = 0; s < steps; s++) {
    const sr_messages *receive = &d->schedule.step[s].receive, *send = &d->schedule.step[s].send;
    SR_TRY(sr_transfer_create(plan->comm, piece, &plan->transfer[s]));
    for (int64_t i = 0; i < receive->n; i++) SR_TRY(add_message(plan, s, receive, i, true));
    for (int64_t i = 0; i < send->n; i++) SR_TRY(add_message(plan, s, send, i, false));
  }
  return SR_OK;
}

/* Waits for the other ranks that share the buffers: what they wrote is seen from then on, and what they read is free.
 */
static sr_status meet_holders(const sr_plan *plan) {
  return plan->d.members == 1 ? SR_OK : sr_shared_meet(plan->team, &plan->shared);
}

/* Starts a step's messages. One of the ranks that share a buffer clears what no message fills. */
static sr_status start_messages(sr_plan *plan, int64_t s) {
  const sr_decision *d = &plan->d;
  const sr_messages *send = &d->schedule.step[s].send;
  if (s + 1 < d->schedule.n_steps && (d->members == 1 || d->member == 0))
    sr_block_clear_rest(&d->shape, &d->block[s + 1], plan->workspace.buffer[d->schedule.step[s + 1].buffer]);
  SR_TRY(sr_transfer_start(plan->transfer[s]));
  for (int64_t i = 0; i < send->n; i++)
    plan->step[s].sent_bytes += sr_block_message_bytes(&d->shape, send->message[i].tokens);
  return SR_OK;
}

/* The end of a step for this rank and, while others follow, for those that share its buffers. */
static sr_status end_messages(sr_plan *plan, int64_t s) {
  SR_TRY(sr_transfer_wait(plan->transfer[s]));
  return s + 1 < plan->d.schedule.n_steps ? meet_holders(plan) : SR_OK;
}

static sr_status take_step(sr_plan *plan, const sr_tensors *tensors, int64_t s, int64_t *done) {
  const sr_decision *d = &plan->d;
  sr_step_stats *stats = &plan->step[s];
  sr_fold fold = {.plan = plan,
                  .tensors = tensors,
                  .block = &d->block[s],
                  .memory = plan->workspace.buffer[d->schedule.step[s].buffer],
                  .transfer = plan->transfer[s],
                  .step = s,
                  .done = done};
  double start = sr_now();
  SR_TRY(start_messages(plan, s));
  if (d->opt.no_overlap) SR_TRY(sr_transfer_wait(plan->transfer[s]));
  double waited = d->opt.no_overlap ? sr_now() - start : 0, work = sr_now();
  SR_TRY(sr_fold_block(&fold));
  double end = sr_now();
  SR_TRY(end_messages(plan, s));
  stats->work_s = end - work;
  stats->wait_s = waited + sr_now() - end;
  plan->stats.wait_s += stats->wait_s;
  plan->stats.sent_bytes += stats->sent_bytes;
  plan->steps_taken = s + 1;
  return SR_OK;
}

/* Packs the tensors that are worked on, and tells all ranks of NaN, Inf and keys' lengths. */
static sr_status pack(sr_plan *plan, const sr_tensors *work) {
  SR_TRY(meet_holders(plan)); /* nobody reads the last forward's keys any more */
  plan->stats.nonfinite += sr_plan_pack(plan, work);
  double start = sr_now();
  SR_TRY(meet_holders(plan));
  SR_TRY(sr_comm_sum_i64(plan->comm, &plan->stats.nonfinite, 1));
  SR_TRY(sr_comm_max(plan->comm, plan->workspace.key_norm, plan->d.segments * plan->d.opt.kv_heads));
  plan->stats.wait_s += sr_now() - start;
  return sr_plan_refuse_nonfinite(plan);
}

/* Exchanges tokens where heads are dealt. */
static sr_status exchange(sr_plan *plan, const sr_tensors *tensors, sr_tensors *work, bool back) {
  if (plan->d.way.head_ranks == 1) return SR_OK;
  double start = sr_now();
  sr_status status =
      back ? sr_exchange_back(&plan->exchange, tensors) : sr_exchange_there(&plan->exchange, tensors, work);
  if (back) plan->stats.sent_bytes += plan->d.exchange_bytes;
  plan->stats.wait_s += sr_now() - start;
  return status;
}

sr_status sr_plan_travel(sr_plan *plan, const sr_tensors *tensors) {
  sr_tensors work = *tensors;
  int64_t done = 0;
  memset(plan->step, 0, (size_t)plan->d.schedule.n_steps * sizeof *plan->step);
  if (sr_decision_counts_queries(&plan->d)) plan->stats.nonfinite = sr_nonfinite_queries(&plan->d, tensors->q);
  SR_TRY(exchange(plan, tensors, &work, false));
  SR_TRY(pack(plan, &work));
  for (int64_t s = 0; s < plan->d.schedule.n_steps; s++) SR_TRY(take_step(plan, &work, s, &done));
  return exchange(plan, tensors, &work, true);
}
