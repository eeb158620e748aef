#include "world.h"

#include "base/error.h"
#include "comm/comm.h"

sr_status sr_world_open(MPI_Comm *comm, int *rank) {
  *comm = MPI_COMM_NULL;
  SR_TRY(sr_comm_dup(MPI_COMM_WORLD, comm));
  return sr_comm_rank(*comm, rank);
}

sr_status sr_world_share(MPI_Comm comm, sr_status mine, void *data, uint64_t bytes) {
  int rank;
  SR_TRY(sr_comm_rank(comm, &rank));
  SR_TRY(sr_agree(comm, rank == 0 ? mine : SR_OK));
  return sr_comm_bcast(comm, data, bytes, 0);
}

sr_status sr_world_agree(MPI_Comm comm, sr_status mine) {
  return sr_agree(comm, mine);
}

void sr_world_close(MPI_Comm *comm) {
  sr_comm_free(comm);
}
