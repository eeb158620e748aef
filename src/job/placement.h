/* Threads of a rank, and whether the launcher left them the cores they need. */
#ifndef SR_JOB_PLACEMENT_H
#define SR_JOB_PLACEMENT_H

#include <stdbool.h>

#include <seqring/status.h>

enum { SR_PLACE_TEXT = 128 };

typedef struct sr_placement {
  int node_cores;           /* cores of this node that this process's control group may use */
  int bound_cores;          /* of these, cores that this rank is bound to */
  int threads;              /* of this rank */
  char host[SR_PLACE_TEXT]; /* the node's name */
  char cpus[SR_PLACE_TEXT]; /* processing units that this rank is bound to, such as "0-3,8"; cut where there are many */
  char numa[SR_PLACE_TEXT]; /* their NUMA domains, likewise */
} sr_placement;

/* Threads are wanted when that is above 0, else OMP_NUM_THREADS when it is set, else the node's cores over its
 * local_ranks, at least 1; no more than OMP_THREAD_LIMIT. Not collective. Errors: SR_ERR_ARGUMENT (OMP_NUM_THREADS),
 * SR_ERR_RESOURCE. */
sr_status sr_placement_find(int wanted, int local_ranks, sr_placement *placement);

#endif
