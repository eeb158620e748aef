/* What one thread works with: the tiles of its batch and their states in the segment at hand. */
#ifndef SR_PLAN_WORKER_H
#define SR_PLAN_WORKER_H

#include "plan.h"
#include "schedule/mask.h"

typedef struct sr_task {
  int64_t number; /* of the plan's tile */
  sr_tile tile;
  sr_partial partial[SR_PARTIALS];
  int pending;                /* of these that are complete, but not folded */
  sr_sight sees[SR_MAX_TILE]; /* each row, by absolute positions */
  int64_t position[SR_MAX_TILE];
  sr_sight reach;      /* of each run, from the first to the last key that some row sees, */
  sr_sight common;     /* and the keys that all rows see */
  int64_t rows;        /* of the tile; further lanes see what the last row sees */
  int64_t pairs;       /* that the rows see of the segment */
  bool active;         /* some row sees some of the segment */
  bool closes;         /* this is the last step that it has to do with */
  bool written;        /* its output is */
  sr_state own, state; /* of the worker, and what is used: that or what the plan keeps, or, for a tile that is folded
                          once, that with the worker's accumulator */
} sr_task;

typedef struct sr_worker {
  sr_task *task; /* [batch] */
  void *scratch;
  sr_accumulator accumulator; /* of tiles that are folded once, and written behind that: it stays in the cache */
  char *k, *v;                /* of a chunk, as the kernel arranges them, where it does */
} sr_worker;

/* Lays a worker's memory out. */
uint64_t sr_worker_bytes(const sr_decision *d);
sr_worker sr_worker_at(const sr_decision *d, void *memory);

#endif
