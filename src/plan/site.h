/* Where the ranks of a communicator are. */
#ifndef SR_PLAN_SITE_H
#define SR_PLAN_SITE_H

#include "comm/comm.h"

typedef struct sr_site {
  int rank, ranks;
  int *node_of; /* [ranks] node of each rank, 0 and up */
} sr_site;

/* Finds it. To be freed in any case. Collective. Errors: SR_ERR_RESOURCE, SR_ERR_MPI. */
sr_status sr_site_find(MPI_Comm comm, sr_site *site);
void sr_site_free(sr_site *site);

#endif
