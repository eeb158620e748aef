#include "spread.h"

#include "base/error.h"
#include "comm/comm.h"

sr_status sr_spread_find(MPI_Comm comm, double mine, sr_spread *spread) {
  int ranks;
  SR_TRY(sr_comm_size(comm, &ranks));
  double ends[2] = {mine, -mine}, sum = mine;
  SR_TRY(sr_comm_max(comm, ends, 2));
  SR_TRY(sr_comm_sum(comm, &sum, 1));
  *spread = (sr_spread){.min = -ends[1], .mean = sum / ranks, .max = ends[0]};
  return SR_OK;
}
