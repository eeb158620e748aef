#include "site.h"

#include <stdlib.h>

#include "base/error.h"

sr_status sr_site_find(MPI_Comm comm, sr_site *site) {
  *site = (sr_site){0};
  SR_TRY(sr_comm_rank(comm, &site->rank));
  SR_TRY(sr_comm_size(comm, &site->ranks));
  site->node_of = malloc((size_t)site->ranks * sizeof *site->node_of);
  SR_TRY(sr_agree_memory(comm, site->node_of, "for where ranks are"));
  return sr_comm_nodes(comm, site->ranks, site->node_of);
}

void sr_site_free(sr_site *site) {
  free(site->node_of);
  site->node_of = NULL;
}
