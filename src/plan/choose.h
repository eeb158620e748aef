/* The choice between the ways to solve a problem. */
#ifndef SR_PLAN_CHOOSE_H
#define SR_PLAN_CHOOSE_H

#include "comm/comm.h"
#include "cost.h"

enum { SR_MOST_WAYS = 512 };

/* One way, as all ranks together see it. */
typedef struct sr_prospect {
  sr_way way;
  double seconds; /* of the slowest rank; infinite where it takes more memory than there is, or than options allow */
  double sent;    /* bytes, of the rank that sends most */
  double memory;  /* bytes of a plan, of the rank that needs most */
  double part;    /* likewise, but of what a node shares its part alone */
} sr_prospect;

/* All ways that the options, which have been checked and are alike on all ranks, leave open, the best one first.
 * prospect has room for SR_MOST_WAYS. Collective. Errors: SR_ERR_ARGUMENT, SR_ERR_RESOURCE, SR_ERR_MPI. */
sr_status sr_choose(MPI_Comm comm, const sr_options *options, const sr_site *site, sr_prospect *prospect, int *n);

#endif
