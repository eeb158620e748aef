/* What things cost, measured. */
#include <math.h>
#include <omp.h>
#include <seqring/costs.h>
#include <seqring/version.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/threads.h"
#include "comm/transfer.h"
#include "kernels/peak.h"
#include "site.h"

/* Bytes that are copied, and sent in pieces; messages without bytes; the shortest loop of multiply-adds that is timed.
 */
enum { BYTES = 8 << 20, PIECE = 1 << 20, PINGS = 10, ROUNDS = 3 };
static const double loop_s = 0.01;

/* A transfer that takes so long is timed once only. */
static const double long_s = 0.03;

void sr_costs_default(sr_costs *costs) {
  *costs = (sr_costs){.flops = 1e11,
                      .copy_s_per_byte = 1 / 5e9,
                      .inside = {.latency_s = 1e-6, .s_per_byte = 1 / 4e9, .hidden_s_per_byte = 1 / 8e9},
                      .between = {.latency_s = 5e-6, .s_per_byte = 1 / 2e9, .hidden_s_per_byte = 1 / 2e10}};
}

static bool is_cost(double x) {
  return isfinite(x) && x >= 0;
}

static bool is_link(const sr_link *link) {
  return is_cost(link->latency_s) && is_cost(link->s_per_byte) && is_cost(link->hidden_s_per_byte);
}

sr_status sr_costs_check(const sr_costs *costs) {
  if (is_cost(costs->flops) && costs->flops > 0 && is_cost(costs->copy_s_per_byte) && is_link(&costs->inside) &&
      is_link(&costs->between))
    return SR_OK;
  return sr_fail(SR_ERR_ARGUMENT, "costs that are negative or not finite, or no operation a second");
}

/* A probe under way. */
typedef struct probe {
  MPI_Comm comm;
  sr_site site;
  int threads;
  char *out, *in; /* [BYTES] */
  int64_t loops;  /* of multiply-adds that take loop_s */
} probe;

/* Seconds of some loops on all threads of this rank; the master polls the transfer between short ones. */
static double compute(const probe *p, int64_t loops, sr_transfer *transfer, sr_status *status) {
  enum { PARTS = 64 };
  const char *isa = sr_isa_name();
  double start = sr_now();
#pragma omp parallel num_threads(p->threads)
  for (int i = 0; i < PARTS; i++) {
    sr_peak_run(isa, SR_F32, loops / PARTS + 1);
    if (transfer && omp_get_thread_num() == 0 && *status == SR_OK) *status = sr_transfer_poll(transfer);
  }
  return sr_now() - start;
}

static sr_status measure_flops(probe *p, sr_costs *costs) {
  sr_status status = SR_OK;
  double seconds;
  p->loops = 1000;
  while ((seconds = compute(p, p->loops, NULL, &status)) < loop_s) p->loops *= 2;
  SR_TRY(sr_comm_barrier(p->comm)); /* all at once, as they will: they may be more than there are cores */
  seconds = compute(p, ROUNDS * p->loops, NULL, &status);
  const double once = sr_peak_run(sr_isa_name(), SR_F32, 1);
  costs->flops = once * (double)p->loops * p->threads * ROUNDS / seconds;
  return SR_OK;
}

static sr_status measure_copy(probe *p, sr_costs *costs) {
  double seconds = (double)INFINITY;
  for (int i = 0; i < ROUNDS; i++) {
    SR_TRY(sr_comm_barrier(p->comm));
    double start = sr_now();
    memcpy(p->in, p->out, BYTES);
    seconds = fmin(seconds, sr_now() - start);
  }
  costs->copy_s_per_byte = seconds / BYTES;
  return SR_OK;
}

/* Seconds until a transfer has ended so often, while nothing, or a loop, is computed; the least of these and *seconds.
 */
static sr_status carry(const probe *p, sr_transfer *transfer, int times, int64_t loops, double *seconds) {
  sr_status status = SR_OK;
  SR_TRY(sr_comm_barrier(p->comm));
  double start = sr_now();
  for (int i = 0; i < times; i++) {
    SR_TRY(sr_transfer_start(transfer));
    if (loops) compute(p, loops, transfer, &status);
    SR_TRY(status);
    SR_TRY(sr_transfer_wait(transfer));
  }
  *seconds = fmin(*seconds, sr_now() - start);
  return SR_OK;
}

/* Seconds of a message, and of a byte without work and beside it. */
static sr_status time_transfers(const probe *p, sr_transfer *ping, sr_transfer *load, double value[3]) {
  double moment = (double)INFINITY, alone = moment, beside = moment, work = moment;
  sr_status status = SR_OK;
  for (int i = 0; i < ROUNDS; i++) SR_TRY(carry(p, ping, PINGS, 0, &moment));
  moment /= PINGS;
  for (int i = 0; i < ROUNDS; i++) SR_TRY(carry(p, load, 1, 0, &alone));
  SR_TRY(sr_comm_max(p->comm, &alone, 1));
  const int rounds = alone > long_s ? 1 : ROUNDS;
  const int64_t loops = (int64_t)((double)p->loops * (1 + 2 * alone / loop_s)); /* longer than the transfer */
  for (int i = 0; i < rounds; i++) {
    SR_TRY(sr_comm_barrier(p->comm));
    work = fmin(work, compute(p, loops, NULL, &status));
    SR_TRY(carry(p, load, 1, loops, &beside));
  }
  value[0] = moment;
  value[1] = alone / BYTES; /* less the latency it would be 0 at times, on a crowded machine */
  value[2] = fmin(fmax(0, beside - work), alone) / BYTES;
  return SR_OK;
}

/* Messages from one rank and to one, or none at all with itself. */
static sr_status add_messages(const probe *p, sr_transfer *t, uint64_t bytes, int from, int to) {
  if (to == p->site.rank) return SR_OK;
  SR_TRY(sr_transfer_receive(t, &(sr_stretch){p->in, bytes}, 1, from));
  return sr_transfer_send(t, &(sr_stretch){p->out, bytes}, 1, to);
}

static sr_status time_link(const probe *p, int from, int to, double value[3]) {
  sr_transfer *ping = NULL, *load = NULL;
  sr_status status = sr_transfer_create(p->comm, PIECE, &ping);
  if (status == SR_OK) status = sr_transfer_create(p->comm, PIECE, &load);
  if (status == SR_OK) status = add_messages(p, ping, 1, from, to);
  if (status == SR_OK) status = add_messages(p, load, BYTES, from, to);
  status = sr_agree(p->comm, status);
  if (status == SR_OK) status = time_transfers(p, ping, load, value);
  if (status == SR_ERR_MPI) return status;
  sr_transfer_destroy(&ping);
  sr_transfer_destroy(&load);
  return status;
}

/* The next rank in a direction, 1 or -1, that is on this one's node: itself where no other is. */
static int near_rank(const sr_site *site, int direction) {
  int rank = site->rank;
  do rank = (rank + site->ranks + direction) % site->ranks;
  while (site->node_of[rank] != site->node_of[site->rank]);
  return rank;
}

static void find_near(const sr_site *site, int *from, int *to) {
  *from = near_rank(site, -1), *to = near_rank(site, 1);
}

/* Pairs of ranks so many places apart that are on different nodes. */
static int crossing_pairs(const sr_site *site, int apart) {
  int n = 0;
  for (int r = 0; r < site->ranks; r++) n += site->node_of[r] != site->node_of[(r + apart) % site->ranks];
  return n;
}

/* The ranks as many places before and behind as lets most messages go to other nodes. */
static void find_far(const sr_site *site, int *from, int *to) {
  int best = 0, apart = 0;
  for (int i = 1; i < site->ranks && best < site->ranks; i++) {
    const int n = crossing_pairs(site, i);
    if (n > best) best = n, apart = i;
  }
  *from = (site->rank + site->ranks - apart) % site->ranks;
  *to = (site->rank + apart) % site->ranks;
}

/* Measures a link where some ranks have it; *link stays what it is where none do. */
static sr_status measure_link(const probe *p, bool inside, sr_link *link) {
  int from, to;
  (inside ? find_near : find_far)(&p->site, &from, &to);
  double some = to != p->site.rank;
  SR_TRY(sr_comm_max(p->comm, &some, 1));
  if (some == 0) return SR_OK;
  double value[3] = {0, 0, 0};
  SR_TRY(time_link(p, from, to, value));
  SR_TRY(sr_comm_max(p->comm, value, 3));
  *link = (sr_link){value[0], value[1], value[2]};
  return SR_OK;
}

static sr_status measure(probe *p, sr_costs *costs) {
  SR_TRY(measure_flops(p, costs));
  SR_TRY(measure_copy(p, costs));
  SR_TRY(measure_link(p, true, &costs->inside));
  SR_TRY(measure_link(p, false, &costs->between));
  double slowest[2] = {-costs->flops, costs->copy_s_per_byte};
  SR_TRY(sr_comm_max(p->comm, slowest, 2));
  costs->flops = -slowest[0], costs->copy_s_per_byte = slowest[1];
  return SR_OK;
}

static sr_status prepare(probe *p) {
  p->out = sr_alloc(BYTES), p->in = sr_alloc(BYTES);
  if (!p->out || !p->in) return sr_fail(SR_ERR_RESOURCE, "no memory to measure messages");
  if (!sr_isa_name()) return sr_fail(SR_ERR_ARGUMENT, "SEQRING_ISA names no instruction set of this machine");
  memset(p->out, 1, BYTES), memset(p->in, 0, BYTES);
  return SR_OK;
}

sr_status sr_costs_measure(MPI_Comm comm, int threads, sr_costs *costs) {
  probe p = {.comm = MPI_COMM_NULL, .threads = sr_threads_for(threads)};
  sr_costs_default(costs);
  SR_TRY(sr_comm_dup(comm, &p.comm));
  sr_status status = sr_agree(p.comm, prepare(&p));
  if (status == SR_OK) status = sr_site_find(p.comm, &p.site);
  if (status == SR_OK) status = measure(&p, costs);
  if (status == SR_ERR_MPI) return status; /* messages may still be on their way to the memory */
  sr_comm_free(&p.comm);
  sr_free(p.out), sr_free(p.in);
  sr_site_free(&p.site);
  return status;
}
