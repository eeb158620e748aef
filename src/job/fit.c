#include "fit.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/error.h"
#include "base/memory.h"
#include "comm/comm.h"

sr_status sr_fit_threads(MPI_Comm comm, int wanted, sr_fit *fit) {
  SR_TRY(sr_comm_node_ranks(comm, &fit->local_ranks));
  SR_TRY(sr_agree(comm, sr_placement_find(wanted, fit->local_ranks, &fit->placement)));
  fit->could = fit->placement.threads;
  int64_t fewest = -(int64_t)fit->placement.threads; /* the largest of what falls where threads rise */
  SR_TRY(sr_comm_max_i64(comm, &fewest, 1));
  fit->placement.threads = -(int)fewest;
  return SR_OK;
}

static void describe_narrow(const sr_placement *mine, int64_t ranks_bound, int ranks, char text[512]) {
  snprintf(text, 512,
           "%" PRId64
           " of %d ranks are bound to fewer cores than their %d threads (rank 0: to %d of %d cores) and will be "
           "slow: give mpirun --bind-to none or --map-by slot:PE=%d",
           ranks_bound, ranks, mine->threads, mine->bound_cores, mine->node_cores, mine->threads);
}

static void describe_crowded(const sr_fit *fit, int64_t ranks_crowded, int ranks, char text[512]) {
  const sr_placement *mine = &fit->placement;
  snprintf(text, 512,
           "%" PRId64 " of %d ranks share a node that has fewer cores than their threads in all (rank 0: %d ranks x %d "
           "threads on %d cores) and will be slow: take fewer ranks or --threads",
           ranks_crowded, ranks, fit->local_ranks, mine->threads, mine->node_cores);
}

static void describe_uneven(const sr_placement *mine, int64_t ranks_uneven, int ranks, char text[512]) {
  snprintf(
      text, 512,
      "%" PRId64
      " of %d ranks could have more threads than the rank with the fewest, %d, and take as many as that one: put as "
      "many ranks on each node, or give --threads",
      ranks_uneven, ranks, mine->threads);
}

sr_status sr_fit_warn(MPI_Comm comm, const sr_fit *fit, const sr_job_events *events) {
  const sr_placement *mine = &fit->placement;
  bool crowded = mine->threads > 0 && (int64_t)fit->local_ranks * mine->threads > mine->node_cores;
  int64_t count[3] = {mine->narrow, crowded, fit->could > mine->threads};
  int rank, ranks;
  char text[512];
  SR_TRY(sr_comm_rank(comm, &rank));
  SR_TRY(sr_comm_size(comm, &ranks));
  SR_TRY(sr_comm_sum_i64(comm, count, 3));
  if (count[0] > 0) {
    describe_narrow(mine, count[0], ranks, text);
    sr_job_warn(events, rank, text);
  }
  if (count[1] > 0) {
    describe_crowded(fit, count[1], ranks, text);
    sr_job_warn(events, rank, text);
  }
  if (count[2] > 0) {
    describe_uneven(mine, count[2], ranks, text);
    sr_job_warn(events, rank, text);
  }
  return SR_OK;
}

/* Makes a rank's own bytes those of all ranks of its node together. */
static sr_status sum_on_node(MPI_Comm comm, double *bytes) {
  MPI_Comm node;
  SR_TRY(sr_comm_node(comm, &node));
  sr_status status = sr_comm_sum(node, bytes, 1);
  sr_comm_free(&node);
  return status;
}

sr_status sr_fit_memory(MPI_Comm comm, const sr_fit *fit, double own, double shared, const char *name) {
  const double gib = 1024.0 * 1024 * 1024, available = (double)sr_memory_available();
  double all = own;
  SR_TRY(sum_on_node(comm, &all));
  all += shared;
  sr_status status = SR_OK;
  if (all > available)
    status = sr_fail(SR_ERR_RESOURCE,
                     "%s: too little memory: it needs %.2f GiB a rank, %.2f GiB for the %d of this node, and %.2f GiB "
                     "are available: take more nodes, or fewer ranks on each",
                     name, (own + shared) / gib, all / gib, fit->local_ranks, available / gib);
  return sr_agree(comm, status);
}
