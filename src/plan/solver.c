#include "solver.h"

#include <inttypes.h>

#include "base/error.h"

static bool decodes(const sr_options *o) {
  return o->q_len <= SR_DECODE_QUERIES;
}

/* Which kernels a problem takes depends on the problem alone, and so must its bits. */
static sr_status for_few(const sr_options *o, const sr_site *site) {
  (void)site;
  if (decodes(o)) return SR_OK;
  return sr_fail(SR_ERR_ARGUMENT, "the strategy decode is for up to %d queries, not %" PRId64, SR_DECODE_QUERIES,
                 o->q_len);
}

static sr_status for_many(const sr_options *o, const sr_site *site) {
  (void)site;
  if (!decodes(o)) return SR_OK;
  return sr_fail(SR_ERR_ARGUMENT, "up to %d queries take the strategy decode, not %s", SR_DECODE_QUERIES,
                 sr_strategy_name(o->strategy));
}

static sr_status check_heads(const sr_options *o, int ranks) {
  if (ranks <= o->q_heads) return SR_OK;
  return sr_fail(SR_ERR_ARGUMENT, "%" PRId64 " query heads cannot be dealt to %d ranks", o->q_heads, ranks);
}

/* Their exchange has no place for a second set of queries. */
static sr_status for_one_set(const sr_options *o, const sr_site *site) {
  SR_TRY(for_many(o, site));
  if (!o->sink_queries) return SR_OK;
  return sr_fail(SR_ERR_ARGUMENT, "the strategy %s is not for sink_queries", sr_strategy_name(o->strategy));
}

static sr_status for_heads(const sr_options *o, const sr_site *site) {
  SR_TRY(for_one_set(o, site));
  return check_heads(o, site->ranks);
}

static sr_status for_groups(const sr_options *o, const sr_site *site) {
  SR_TRY(for_one_set(o, site));
  if (o->head_ranks == 0) return SR_OK;
  if (site->ranks % o->head_ranks)
    return sr_fail(SR_ERR_ARGUMENT, "%d ranks cannot be cut in groups of %d", site->ranks, o->head_ranks);
  return check_heads(o, o->head_ranks);
}

static bool takes_all(const sr_options *o, const sr_site *site, int n) {
  (void)o;
  return n == site->ranks;
}

/* Groups of one rank, or a single group, are other strategies: they are taken where there are no others. */
static bool takes_groups(const sr_options *o, const sr_site *site, int n) {
  if (o->head_ranks) return n == o->head_ranks;
  if (site->ranks % n || n > o->q_heads) return false;
  if (n > 1 && n < site->ranks) return true;
  for (int m = 2; m < site->ranks && m <= o->q_heads; m++)
    if (site->ranks % m == 0) return false;
  return n == 1 && o->strategy == SR_STRATEGY_HYBRID;
}

static bool limits_sight(const sr_options *o, const sr_site *site) {
  (void)site;
  return o->mask.causal || o->mask.window_left >= 0 || o->mask.window_right >= 0 || o->mask.n_documents > 1;
}

static bool has_neighbours(const sr_options *o, const sr_site *site) {
  (void)o;
  int nodes = 0;
  for (int r = 0; r < site->ranks; r++)
    if (site->node_of[r] >= nodes) nodes = site->node_of[r] + 1;
  return nodes < site->ranks;
}

static const sr_solver table[] = {
    {SR_STRATEGY_NODE, SR_TEAM_NODE, false, for_many, NULL, has_neighbours},
    {SR_STRATEGY_RING, SR_TEAM_RANK, false, for_many, NULL, NULL},
    {SR_STRATEGY_WINDOW, SR_TEAM_RANK, true, for_many, NULL, limits_sight},
    {SR_STRATEGY_ULYSSES, SR_TEAM_HEADS, false, for_heads, takes_all, NULL},
    {SR_STRATEGY_HYBRID, SR_TEAM_HEADS, false, for_groups, takes_groups, NULL},
    {SR_STRATEGY_DECODE, SR_TEAM_RANK, true, for_few, NULL, NULL},
};
enum { SOLVERS = sizeof table / sizeof *table };

/* The ways of one solver, behind the n that there are. */
static int add_ways(const sr_solver *solver, const sr_options *o, const sr_site *site, sr_way *way, int n, int room) {
  const bool any = o->balance == SR_BALANCE_AUTO, plain = !limits_sight(o, site) || site->ranks == 1 || decodes(o);
  for (int heads = 1; heads <= site->ranks; heads++) {
    if (solver->takes ? !solver->takes(o, site, heads) : heads > 1) continue;
    for (sr_balance b = SR_BALANCE_CONTIGUOUS; b <= SR_BALANCE_WEIGHTED; b++) {
      if (any ? plain && b != SR_BALANCE_CONTIGUOUS : b != o->balance) continue;
      if (o->same_rows && b == SR_BALANCE_WEIGHTED) continue;
      if (n < room) way[n++] = (sr_way){solver, solver->takes ? heads : 1, b};
    }
  }
  return n;
}

int sr_ways(const sr_options *o, const sr_site *site, sr_way *way, int room) {
  int n = 0;
  char text[SR_ERROR_TEXT];
  sr_error_keep(text);
  for (int i = 0; i < SOLVERS; i++) {
    const sr_solver *solver = &table[i];
    const bool asked_for = o->strategy == solver->strategy;
    if (!asked_for && o->strategy != SR_STRATEGY_AUTO) continue;
    const bool applies = solver->applies(o, site) == SR_OK;
    if (!applies && asked_for) return 0;
    if (!applies || (!asked_for && solver->is_candidate && !solver->is_candidate(o, site))) continue;
    n = add_ways(solver, o, site, way, n, room);
    if (!asked_for && site->ranks == 1) break; /* all are the same */
  }
  sr_error_restore(text); /* that a way does not apply is no failure */
  return n;
}
