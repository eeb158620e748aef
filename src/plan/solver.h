/* The strategies, one table: which problems each of them applies to, and how it makes ranks into teams. */
#ifndef SR_PLAN_SOLVER_H
#define SR_PLAN_SOLVER_H

#include <seqring/plan.h>
#include <stdbool.h>

#include "site.h"

/* What a team is. */
typedef enum sr_team_kind {
  SR_TEAM_RANK, /* a rank alone */
  SR_TEAM_NODE, /* the ranks of a node, which share buffers */
  SR_TEAM_HEADS /* neighbours that deal their heads */
} sr_team_kind;

typedef struct sr_solver {
  sr_strategy strategy;
  sr_team_kind team;
  bool direct; /* keys and values go straight to those who see them, and not round a ring of teams */

  /* Whether it can do the problem. Errors: SR_ERR_ARGUMENT, with what is against it. */
  sr_status (*applies)(const sr_options *options, const sr_site *site);

  /* Whether n ranks can be what deals heads. NULL: no heads are dealt. */
  bool (*takes)(const sr_options *options, const sr_site *site, int n);

  /* Whether it may be the best one. NULL: always. */
  bool (*is_candidate)(const sr_options *options, const sr_site *site);
} sr_solver;

/* One way to solve a problem. */
typedef struct sr_way {
  const sr_solver *solver;
  int head_ranks; /* 1 where no heads are dealt */
  sr_balance balance;
} sr_way;

/* All ways that the options leave open, the simplest first, as many as there is room for. Returns how many there are; 0
 * when a strategy is asked for that does not apply, with the text of SR_ERR_ARGUMENT. */
int sr_ways(const sr_options *options, const sr_site *site, sr_way *way, int room);

#endif
