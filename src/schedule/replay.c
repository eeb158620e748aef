#include "replay.h"

#include <stdlib.h>

#include "base/error.h"
#include "segment.h"

sr_status sr_replay_make(const sr_partition *p, sr_route route, sr_replay *replay) {
  *replay = (sr_replay){.partition = p, .rank = calloc((size_t)p->problem.ranks, sizeof(sr_schedule))};
  if (!replay->rank) return sr_fail(SR_ERR_RESOURCE, "no memory for the schedules of %d ranks", p->problem.ranks);
  for (int r = 0; r < p->problem.ranks; r++) SR_TRY(sr_schedule_make(p, route, r, &replay->rank[r]));
  return SR_OK;
}

void sr_replay_free(sr_replay *replay) {
  for (int r = 0; replay->rank && r < replay->partition->problem.ranks; r++) sr_schedule_free(&replay->rank[r]);
  free(replay->rank);
  replay->rank = NULL;
}

/* Every token of a sequence has one owner, and owners' spans are cut at multiples of unit. */
static sr_status check_deal(const sr_deal *deal, int64_t len, int64_t unit, const char *what) {
  sr_arena arena = {0};
  sr_tokens all = {0};
  int64_t count = 0;
  sr_status status = SR_OK;
  for (int owner = 0; owner < deal->owners && status == SR_OK; owner++) {
    const sr_tokens tokens = deal->of[owner];
    for (int64_t i = 0; i < tokens.n && status == SR_OK; i++) {
      const sr_span s = tokens.span[i];
      const int64_t end = s.start + s.count;
      if (s.start < 0 || s.count <= 0 || end > len || s.start % unit || (end % unit && end != len))
        status = sr_fail(SR_ERR_INTERNAL, "owner %d of %s has a bad span", owner, what);
    }
    count += sr_tokens_count(tokens);
    if (status == SR_OK && !sr_tokens_any(&arena, all, tokens, &all))
      status = sr_fail(SR_ERR_RESOURCE, "no memory to check a schedule");
  }
  if (status == SR_OK && (count != len || all.n != 1 || all.span[0].count != len))
    status = sr_fail(SR_ERR_INTERNAL, "not every one of the %s has one owner", what);
  sr_arena_free(&arena);
  return status;
}

/* Pairs that a rank meets in a step; its keys are a part of their owner's, each of which has one step. */
static sr_status check_step(const sr_replay *replay, int rank, const sr_step *step, bool *met, double *pairs) {
  const sr_partition *p = replay->partition;
  sr_arena arena = {0};
  sr_tokens known;
  sr_status status = SR_OK;
  if (!sr_tokens_both(&arena, step->tokens, p->team_keys.of[step->owner], &known))
    status = sr_fail(SR_ERR_RESOURCE, "no memory to check a schedule");
  else if (sr_tokens_count(known) != sr_tokens_count(step->tokens) || met[step->owner])
    status = sr_fail(SR_ERR_INTERNAL, "rank %d meets keys of team %d that it has not, or twice", rank, step->owner);
  met[step->owner] = true;
  *pairs = sr_partition_pairs(p, sr_partition_work(p, rank), step->tokens);
  sr_arena_free(&arena);
  return status;
}

/* Adds up one rank. slowest[step] grows to the most pairs that a rank meets in the step. */
static sr_status check_rank(const sr_replay *replay, int rank, bool *met, double *slowest, double *rank_pairs,
                            sr_replay_report *report) {
  const sr_partition *p = replay->partition;
  const sr_schedule *schedule = &replay->rank[rank];
  *rank_pairs = 0;
  for (int t = 0; t < p->teams.n; t++) met[t] = false;
  for (int64_t s = 0; s < schedule->n_steps; s++) {
    const sr_step *step = &schedule->step[s];
    double pairs;
    SR_TRY(check_step(replay, rank, step, met, &pairs));
    *rank_pairs += pairs;
    if (pairs > slowest[s]) slowest[s] = pairs;
    for (int64_t i = 0; i < step->send.n; i++) report->tokens_sent += sr_tokens_count(step->send.message[i].tokens);
  }
  sr_span all = {0, p->problem.kv_len};
  const double want = sr_partition_pairs(p, sr_partition_work(p, rank), (sr_tokens){1, &all});
  if (*rank_pairs == want) return SR_OK;
  return sr_fail(SR_ERR_INTERNAL, "rank %d meets %.0f of its %.0f pairs", rank, *rank_pairs, want);
}

static sr_status check_ranks(const sr_replay *replay, bool *met, double *slowest, sr_replay_report *report) {
  const int ranks = replay->partition->problem.ranks, teams = replay->partition->teams.n;
  double busiest = 0, steps = 0;
  for (int r = 0; r < ranks; r++) {
    double pairs;
    SR_TRY(check_rank(replay, r, met, slowest, &pairs, report));
    report->pairs += pairs;
    if (pairs > busiest) busiest = pairs;
  }
  for (int s = 0; s < teams; s++) steps += slowest[s];
  const double mean = report->pairs / ranks;
  report->balance = mean > 0 ? busiest / mean : 1;
  report->step_balance = mean > 0 ? steps / mean : 1;
  return SR_OK;
}

sr_status sr_replay_check(const sr_replay *replay, sr_replay_report *report) {
  const sr_partition *p = replay->partition;
  *report = (sr_replay_report){0};
  SR_TRY(check_deal(&p->queries, p->problem.q_len, 1, "queries"));
  SR_TRY(check_deal(&p->keys, p->problem.kv_len, SR_SEGMENT, "keys"));
  bool *met = calloc((size_t)p->teams.n, sizeof *met);
  double *slowest = calloc((size_t)p->teams.n, sizeof *slowest);
  sr_status status = met && slowest ? check_ranks(replay, met, slowest, report)
                                    : sr_fail(SR_ERR_RESOURCE, "no memory to check a schedule");
  free(met), free(slowest);
  return status;
}
