/* Who owns which tokens of a problem, and who sees which: what a schedule is made from. */
#ifndef SR_SCHEDULE_PARTITION_H
#define SR_SCHEDULE_PARTITION_H

#include <seqring/distribution.h>
#include <seqring/mask.h>
#include <seqring/status.h>

#include "deal.h"

/* Ranks that hold keys and values together: in memory that they share, or each some heads. Every rank belongs to one
 * team. */
typedef struct sr_teams {
  int n;
  const int *of;     /* [ranks] team of each rank */
  const int *first;  /* [n + 1] where its members begin */
  const int *member; /* [ranks] ranks of all teams, ascending within one */
} sr_teams;

/* Ranks of a team, the i-th of them, and the place of a rank in its own. */
static inline int sr_team_size(const sr_teams *teams, int team) {
  return teams->first[team + 1] - teams->first[team];
}
static inline int sr_team_member(const sr_teams *teams, int team, int i) {
  return teams->member[teams->first[team] + i];
}
int sr_team_place(const sr_teams *teams, int rank);

typedef struct sr_problem {
  int64_t q_len, kv_len;
  sr_mask mask;
  int64_t grain; /* what a rank sees of keys is rounded out to multiples of it; divides SR_SEGMENT */
  int ranks;
  sr_balance balance;      /* not SR_BALANCE_AUTO */
  bool same_rows;          /* queries are dealt as so many keys would be */
  int64_t q_room, kv_room; /* queries of same_rows and keys are dealt as the begin of so many */
  const int *team_of;      /* [ranks] team of each rank, 0 and up, all taken; NULL: each rank is one */
  bool by_heads;           /* each member of a team works on all its tokens, for some heads; teams are equally large */
} sr_problem;

typedef struct sr_partition {
  sr_problem problem;
  int64_t q_start;
  sr_teams teams;
  sr_teams holders;                /* ranks that share buffers: teams, or each rank alone where they deal heads */
  sr_deal queries, keys;           /* to ranks */
  sr_deal team_queries, team_keys; /* to teams */
  const sr_tokens *sees;           /* [teams] keys that some query of the team sees */
  sr_arena arena;
} sr_partition;

/* Not collective. To be freed in any case. Errors: SR_ERR_RESOURCE. */
sr_status sr_partition_make(const sr_problem *problem, sr_partition *partition);
void sr_partition_free(sr_partition *partition);

/* The queries that a rank works on. */
sr_tokens sr_partition_work(const sr_partition *partition, int rank);

/* Keys that some query of a set sees, rounded out to the grain. False when there is no memory. */
bool sr_partition_seen(sr_arena *arena, const sr_partition *partition, sr_tokens queries, sr_tokens *seen);

/* Visible (query, key) pairs of a set of queries and the keys of another one. */
double sr_partition_pairs(const sr_partition *partition, sr_tokens queries, sr_tokens keys);

#endif
