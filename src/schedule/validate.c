#include "validate.h"

#include <stdlib.h>

#include "base/error.h"
#include "mask.h"
#include "ring.h"
#include "segment.h"
#include "shard.h"

/* Counts in owners[token] how many shards hold each token of [0, len). */
static sr_status check_cover(const sr_schedule_problem *p, bool keys) {
  int64_t len = keys ? p->kv_len : p->q_len;
  unsigned char *owners = calloc((size_t)len, 1);
  if (!owners) return sr_fail(SR_ERR_RESOURCE, "no memory to validate a schedule of %lld tokens", (long long)len);
  sr_status status = SR_OK;
  for (int r = 0; r < p->ranks && status == SR_OK; r++) {
    sr_shard shard = keys ? sr_shard_keys(len, p->ranks, r, p->zigzag) : sr_shard_queries(len, p->ranks, r, p->zigzag);
    for (int i = 0; i < shard.n; i++) {
      sr_span s = shard.span[i];
      bool cut = keys && (s.start % SR_SEGMENT || ((s.start + s.count) % SR_SEGMENT && s.start + s.count != len));
      if (s.count <= 0 || s.start < 0 || s.start + s.count > len || cut)
        status = sr_fail(SR_ERR_INTERNAL, "rank %d of %d: bad span %lld+%lld of %lld", r, p->ranks, (long long)s.start,
                         (long long)s.count, (long long)len);
      else
        for (int64_t t = 0; t < s.count; t++) owners[s.start + t]++;
    }
  }
  for (int64_t t = 0; t < len && status == SR_OK; t++)
    if (owners[t] != 1)
      status = sr_fail(SR_ERR_INTERNAL, "%s %lld has %d owners", keys ? "key" : "query", (long long)t, owners[t]);
  free(owners);
  return status;
}

/* Every rank meets every shard once, holds what it sends, and is sent what it expects. */
static sr_status check_exchange(const sr_schedule_problem *p, unsigned char *met, int64_t *tokens_sent) {
  for (int r = 0; r < p->ranks; r++) {
    for (int i = 0; i < p->ranks; i++) met[i] = 0;
    for (int step = 0; step < p->ranks; step++) {
      sr_ring_step mine = sr_ring(p->ranks, r, step);
      if (met[mine.owner]++) return sr_fail(SR_ERR_INTERNAL, "rank %d meets shard %d twice", r, mine.owner);
      if (mine.exchange != (step + 1 < p->ranks)) return sr_fail(SR_ERR_INTERNAL, "rank %d stops at step %d", r, step);
      if (!mine.exchange) continue;
      sr_ring_step to = sr_ring(p->ranks, mine.send_to, step), next = sr_ring(p->ranks, r, step + 1);
      if (to.recv_from != r || to.next_owner != mine.owner || next.owner != mine.next_owner)
        return sr_fail(SR_ERR_INTERNAL, "step %d: rank %d sends shard %d that rank %d does not expect", step, r,
                       mine.owner, mine.send_to);
      sr_shard shard = sr_shard_keys(p->kv_len, p->ranks, mine.owner, p->zigzag);
      *tokens_sent += sr_shard_count(&shard);
    }
  }
  return SR_OK;
}

/* The strictest transport: a rank enters step s + 1 only when its exchange of step s is over, and an exchange is over
 * only once both neighbours have entered step s. at[r] is the step rank r is in; a round without progress is a
 * deadlock. */
static sr_status check_progress(const sr_schedule_problem *p, int *at) {
  for (int r = 0; r < p->ranks; r++) at[r] = 0;
  for (int done = 0, moved = 1; done < p->ranks;) {
    if (!moved) return sr_fail(SR_ERR_INTERNAL, "the ring of %d ranks does not come to an end", p->ranks);
    done = moved = 0;
    for (int r = 0; r < p->ranks; r++) {
      sr_ring_step mine = sr_ring(p->ranks, r, at[r]);
      if (!mine.exchange)
        done++;
      else if (at[mine.send_to] >= at[r] && at[mine.recv_from] >= at[r])
        at[r]++, moved++;
    }
  }
  return SR_OK;
}

static double pairs_with(const sr_schedule_problem *p, int rank, int owner) {
  sr_shard q = sr_shard_queries(p->q_len, p->ranks, rank, p->zigzag);
  sr_shard kv = sr_shard_keys(p->kv_len, p->ranks, owner, p->zigzag);
  int64_t q_start = sr_mask_q_start(&p->mask, p->q_len, p->kv_len);
  double pairs = 0;
  for (int i = 0; i < q.n; i++)
    for (int j = 0; j < kv.n; j++)
      pairs += sr_mask_pairs(&p->mask, q_start + q.span[i].start, q.span[i].count, kv.span[j]);
  return pairs;
}

/* Adds up what every rank meets at every step, and compares it with the mask itself. */
static sr_status check_pairs(const sr_schedule_problem *p, double *of_rank, sr_schedule_report *report) {
  double steps = 0, busiest = 0;
  for (int r = 0; r < p->ranks; r++) of_rank[r] = 0;
  for (int step = 0; step < p->ranks; step++) {
    double slowest = 0;
    for (int r = 0; r < p->ranks; r++) {
      double pairs = pairs_with(p, r, sr_ring(p->ranks, r, step).owner);
      of_rank[r] += pairs;
      if (pairs > slowest) slowest = pairs;
    }
    steps += slowest;
  }
  for (int r = 0; r < p->ranks; r++) {
    report->pairs += of_rank[r];
    if (of_rank[r] > busiest) busiest = of_rank[r];
  }
  int64_t q_start = sr_mask_q_start(&p->mask, p->q_len, p->kv_len);
  double all = sr_mask_pairs(&p->mask, q_start, p->q_len, (sr_span){0, p->kv_len});
  if (all != report->pairs) return sr_fail(SR_ERR_INTERNAL, "%.0f pairs of %.0f are met", report->pairs, all);
  double mean = all / p->ranks;
  report->balance = mean > 0 ? busiest / mean : 1;
  report->step_balance = mean > 0 ? steps / mean : 1;
  return SR_OK;
}

sr_status sr_schedule_validate(const sr_schedule_problem *p, sr_schedule_report *report) {
  *report = (sr_schedule_report){0};
  SR_TRY(check_cover(p, false));
  SR_TRY(check_cover(p, true));
  void *scratch = malloc((size_t)p->ranks * sizeof(double));
  if (!scratch) return sr_fail(SR_ERR_RESOURCE, "no memory to validate a schedule of %d ranks", p->ranks);
  sr_status status = check_exchange(p, scratch, &report->tokens_sent);
  if (status == SR_OK) status = check_progress(p, scratch);
  if (status == SR_OK) status = check_pairs(p, scratch, report);
  free(scratch);
  return status;
}
