#include "choose.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "comm/shared.h"

/* What this rank expects of one way. */
static sr_status look_at(const sr_options *options, const sr_site *site, const sr_costs *costs, uint64_t room,
                         sr_prospect *p) {
  sr_decision d;
  sr_status status = sr_decide(options, site, &p->way, &d);
  if (status == SR_OK) {
    p->memory = (double)(d.workspace + d.shared);
    p->part = (double)d.workspace + (double)d.shared / d.members;
    p->sent = (double)d.sent_bytes;
    p->seconds = sr_cost_seconds(&d, site, costs);
    if (options->memory_limit && p->memory > (double)options->memory_limit) p->seconds = (double)INFINITY;
    if (d.shared > room) p->seconds = (double)INFINITY;
  }
  sr_decision_free(&d);
  return status;
}

/* Numbers of a prospect. */
enum { SHARED = 4 };

/* Makes one rank's expectations those of all. */
static sr_status share(MPI_Comm comm, sr_prospect *prospect, int n) {
  double value[SHARED * SR_MOST_WAYS];
  for (int i = 0; i < n; i++) {
    const sr_prospect *p = &prospect[i];
    memcpy(value + SHARED * i, (double[SHARED]){p->seconds, p->sent, p->memory, p->part}, SHARED * sizeof *value);
  }
  SR_TRY(sr_comm_max(comm, value, SHARED * n));
  for (int i = 0; i < n; i++) {
    const double *all = value + SHARED * i;
    prospect[i] = (sr_prospect){prospect[i].way, all[0], all[1], all[2], all[3]};
  }
  return SR_OK;
}

static int sooner_first(const void *a, const void *b) {
  const sr_prospect *x = a, *y = b;
  return x->seconds < y->seconds ? -1 : x->seconds > y->seconds;
}

/* A simpler way is taken unless another gains so much time, or in about the same time so much memory. */
static const double worth = 0.01, worth_memory = 0.1;

/* Sorts, with the simplest of those in front that are about as fast as the fastest one, and of these about as small as
 * the smallest one. */
static void sort(sr_prospect *prospect, int n) {
  double best = (double)INFINITY, least = (double)INFINITY;
  int simplest = 0;
  for (int i = 0; i < n; i++) best = fmin(best, prospect[i].seconds);
  const double fast = best * (1 + worth);
  for (int i = 0; i < n; i++)
    if (prospect[i].seconds <= fast) least = fmin(least, prospect[i].part);
  const double small = least * (1 + worth_memory);
  while (isfinite(best) && (prospect[simplest].seconds > fast || prospect[simplest].part > small)) simplest++;
  const sr_prospect first = prospect[simplest];
  for (int i = simplest; i > 0; i--) prospect[i] = prospect[i - 1];
  prospect[0] = first;
  qsort(prospect + 1, (size_t)(n - 1), sizeof *prospect, sooner_first);
}

/* Rank 0's costs, or the default ones, on all ranks. */
static sr_status share_costs(MPI_Comm comm, const sr_options *options, sr_costs *costs) {
  sr_costs_default(costs);
  if (options->costs) *costs = *options->costs;
  SR_TRY(sr_comm_bcast(comm, costs, sizeof *costs, 0));
  return sr_costs_check(costs);
}

static bool share_memory(const sr_way *way, int n) {
  for (int i = 0; i < n; i++)
    if (way[i].solver->team == SR_TEAM_NODE) return true;
  return false;
}

sr_status sr_choose(MPI_Comm comm, const sr_options *options, const sr_site *site, sr_prospect *prospect, int *n) {
  sr_way way[SR_MOST_WAYS];
  sr_costs costs;
  uint64_t room = 0;
  *n = 0;
  SR_TRY(share_costs(comm, options, &costs));
  *n = sr_ways(options, site, way, SR_MOST_WAYS);
  sr_status status = *n > 0 ? SR_OK : SR_ERR_ARGUMENT;
  if (share_memory(way, *n)) SR_TRY(sr_shared_room(comm, site->node_of[site->rank], &room));
  for (int i = 0; i < *n && status == SR_OK; i++) {
    prospect[i] = (sr_prospect){.way = way[i]};
    status = look_at(options, site, &costs, room, &prospect[i]);
  }
  SR_TRY(sr_agree(comm, status));
  SR_TRY(share(comm, prospect, *n));
  sort(prospect, *n);
  return SR_OK;
}
