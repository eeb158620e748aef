#include "fit.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/error.h"
#include "base/memory.h"
#include "comm/comm.h"

sr_status sr_fit_threads(MPI_Comm comm, int wanted, sr_fit *fit) {
  SR_TRY(sr_comm_node_ranks(comm, &fit->local_ranks));
  SR_TRY(sr_agree(comm, sr_placement_find(wanted, fit->local_ranks, &fit->placement)));
  fit->own_threads = fit->placement.threads;
  int64_t fewest = -(int64_t)fit->placement.threads; /* the largest of what falls where threads rise */
  SR_TRY(sr_comm_max_i64(comm, &fewest, 1));
  fit->placement.threads = -(int)fewest;
  return SR_OK;
}

/* What ranks are warned of: whether this one is concerned, and the words for so many of them. */
enum { WARNING_TEXT = 512 };
typedef struct oddity {
  bool (*is)(const sr_fit *fit);
  void (*describe)(const sr_fit *fit, int64_t concerned, int ranks, char text[WARNING_TEXT]);
} oddity;

static bool is_narrow(const sr_fit *fit) {
  const sr_placement *mine = &fit->placement;
  return mine->bound_cores < mine->threads && mine->bound_cores < mine->node_cores;
}

static void describe_narrow(const sr_fit *fit, int64_t concerned, int ranks, char text[WARNING_TEXT]) {
  const sr_placement *mine = &fit->placement;
  snprintf(text, WARNING_TEXT,
           "%" PRId64
           " of %d ranks are bound to fewer cores than their %d threads (rank 0: to %d of %d cores) and will be "
           "slow: give mpirun --bind-to none or --map-by slot:PE=%d",
           concerned, ranks, mine->threads, mine->bound_cores, mine->node_cores, mine->threads);
}

static bool is_crowded(const sr_fit *fit) {
  return (int64_t)fit->local_ranks * fit->placement.threads > fit->placement.node_cores;
}

static void describe_crowded(const sr_fit *fit, int64_t concerned, int ranks, char text[WARNING_TEXT]) {
  const sr_placement *mine = &fit->placement;
  snprintf(text, WARNING_TEXT,
           "%" PRId64 " of %d ranks share a node that has fewer cores than their threads in all (rank 0: %d ranks x %d "
           "threads on %d cores) and will be slow: take fewer ranks or --threads",
           concerned, ranks, fit->local_ranks, mine->threads, mine->node_cores);
}

static bool is_uneven(const sr_fit *fit) {
  return fit->own_threads > fit->placement.threads;
}

static void describe_uneven(const sr_fit *fit, int64_t concerned, int ranks, char text[WARNING_TEXT]) {
  snprintf(text, WARNING_TEXT,
           "%" PRId64
           " of %d ranks could have more threads than the rank with the fewest, %d, and take as many as that one: give "
           "each node as many ranks as suit its cores, and all the same OMP_NUM_THREADS",
           concerned, ranks, fit->placement.threads);
}

sr_status sr_fit_warn(MPI_Comm comm, const sr_fit *fit, const sr_job_events *events) {
  static const oddity odd[] = {
      {is_narrow, describe_narrow}, {is_crowded, describe_crowded}, {is_uneven, describe_uneven}};
  enum { N = sizeof odd / sizeof odd[0] };
  int64_t concerned[N];
  int rank, ranks;
  char text[WARNING_TEXT];
  for (int i = 0; i < N; i++) concerned[i] = odd[i].is(fit);
  SR_TRY(sr_comm_rank(comm, &rank));
  SR_TRY(sr_comm_size(comm, &ranks));
  SR_TRY(sr_comm_sum_i64(comm, concerned, N));
  for (int i = 0; i < N; i++) {
    if (concerned[i] == 0) continue;
    odd[i].describe(fit, concerned[i], ranks, text);
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
