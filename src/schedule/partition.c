#include "partition.h"

#include "base/error.h"
#include "mask.h"

/* Ranks by team; each is one where team_of is NULL. */
static bool make_teams(sr_arena *arena, const sr_problem *p, const int *team_of, sr_teams *teams) {
  int n = 0;
  int *of = sr_arena_take(arena, p->ranks, sizeof *of), *member = sr_arena_take(arena, p->ranks, sizeof *member);
  if (!of || !member) return false;
  for (int r = 0; r < p->ranks; r++) {
    of[r] = team_of ? team_of[r] : r;
    if (of[r] >= n) n = of[r] + 1;
  }
  int *first = sr_arena_take(arena, n + 1, sizeof *first), *at = sr_arena_take(arena, n, sizeof *at);
  if (!first || !at) return false;
  for (int r = 0; r < p->ranks; r++) first[of[r] + 1]++;
  for (int t = 0; t < n; t++) first[t + 1] += first[t];
  for (int t = 0; t < n; t++) at[t] = first[t];
  for (int r = 0; r < p->ranks; r++) member[at[of[r]]++] = r;
  *teams = (sr_teams){.n = n, .of = of, .first = first, .member = member};
  return true;
}

/* Neither end of a run falls as the query's position grows: those of ascending queries are in ascending order. */
static bool seen_in(sr_arena *arena, const sr_partition *p, sr_tokens queries, int run, sr_tokens *seen) {
  const int64_t grain = p->problem.grain, len = p->problem.kv_len;
  *seen = (sr_tokens){.span = sr_arena_take(arena, queries.n, sizeof(sr_span))};
  for (int64_t i = 0; seen->span && i < queries.n; i++) {
    const sr_span span = queries.span[i];
    const sr_range keys = sr_mask_union(&p->problem.mask, p->q_start + span.start, span.count, len).run[run];
    const int64_t from = keys.lo / grain * grain, to = (keys.hi + grain - 1) / grain * grain;
    if (keys.lo < keys.hi) sr_tokens_append(seen, from, to < len ? to : len);
  }
  return seen->span != NULL;
}

bool sr_partition_seen(sr_arena *arena, const sr_partition *p, sr_tokens queries, sr_tokens *seen) {
  sr_tokens sinks;
  if (!seen_in(arena, p, queries, SR_SIGHT_WINDOW, seen)) return false;
  if (sr_mask_first_run(&p->problem.mask) == SR_SIGHT_WINDOW) return true;
  return seen_in(arena, p, queries, SR_SIGHT_SINKS, &sinks) && sr_tokens_any(arena, sinks, *seen, seen);
}

static bool deal_queries(sr_arena *arena, const sr_problem *p, sr_deal *deal) {
  if (p->same_rows) return sr_deal_keys(arena, p->q_len, p->q_room, p->ranks, p->balance, deal);
  return sr_deal_queries(arena, &p->mask, p->q_len, p->kv_len, p->ranks, p->balance, deal);
}

static bool make(sr_partition *p) {
  const sr_problem *of = &p->problem;
  sr_arena *arena = &p->arena;
  if (!make_teams(arena, of, of->team_of, &p->teams)) return false;
  if (!make_teams(arena, of, of->by_heads ? NULL : of->team_of, &p->holders)) return false;
  p->problem.team_of = p->teams.of; /* the caller's need not stay */
  const int n = p->teams.n;
  sr_tokens *sees = sr_arena_take(arena, n, sizeof *sees);
  p->sees = sees;
  if (!sees || !deal_queries(arena, of, &p->queries) ||
      !sr_deal_keys(arena, of->kv_len, of->kv_room, of->ranks, of->balance, &p->keys) ||
      !sr_deal_to_teams(arena, &p->queries, p->teams.of, n, &p->team_queries) ||
      !sr_deal_to_teams(arena, &p->keys, p->teams.of, n, &p->team_keys))
    return false;
  for (int t = 0; t < n; t++)
    if (!sr_partition_seen(arena, p, p->team_queries.of[t], &sees[t])) return false;
  return true;
}

sr_status sr_partition_make(const sr_problem *problem, sr_partition *partition) {
  *partition =
      (sr_partition){.problem = *problem, .q_start = sr_mask_q_start(&problem->mask, problem->q_len, problem->kv_len)};
  if (make(partition)) return SR_OK;
  return sr_fail(SR_ERR_RESOURCE, "no memory to deal a sequence to %d ranks", problem->ranks);
}

void sr_partition_free(sr_partition *partition) {
  sr_arena_free(&partition->arena);
}

int sr_team_place(const sr_teams *teams, int rank) {
  int place = 0;
  while (sr_team_member(teams, teams->of[rank], place) != rank) place++;
  return place;
}

sr_tokens sr_partition_work(const sr_partition *p, int rank) {
  return p->problem.by_heads ? p->team_queries.of[p->teams.of[rank]] : p->queries.of[rank];
}

double sr_partition_pairs(const sr_partition *p, sr_tokens queries, sr_tokens keys) {
  double pairs = 0;
  for (int64_t i = 0; i < queries.n; i++)
    for (int64_t j = 0; j < keys.n; j++)
      pairs += sr_mask_pairs(&p->problem.mask, p->q_start + queries.span[i].start, queries.span[i].count,
                             p->problem.kv_len, keys.span[j]);
  return pairs;
}
