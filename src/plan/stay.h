/* Where the state of a tile stays: its packed queries and its accumulator. A tile that meets keys in one step alone has
 * it in the memory of the thread that works on it, for as long as that takes; only the others keep theirs from the
 * first step to the last. */
#ifndef SR_PLAN_STAY_H
#define SR_PLAN_STAY_H

#include <stdbool.h>

#include "decision.h"

/* Of a tile, or of a group of neighbours that are alike; all heads are. */
struct sr_stay {
  int64_t step; /* the only one that they have to do with, or -1 */
  int64_t kept; /* the first one's number among those of its head that keep their state */
};

/* Fills in the groups, and counts the tiles that keep their state, of a decision that has its schedule and its tiles.
 * Errors: SR_ERR_RESOURCE. */
sr_status sr_stay_find(sr_decision *d);

/* Of one tile. */
sr_stay sr_stay_of(const sr_decision *d, int64_t tile);

static inline bool sr_stay_has(const sr_stay *stay, int64_t step) {
  return stay->step < 0 || stay->step == step;
}

#endif
