#include "plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "comm/comm.h"
#include "decode.h"

static sr_status decide_alone(MPI_Comm comm, const sr_options *options, sr_decision *d) {
  int rank, ranks;
  SR_TRY(sr_mpi(MPI_Comm_rank(comm, &rank), "MPI_Comm_rank"));
  SR_TRY(sr_mpi(MPI_Comm_size(comm, &ranks), "MPI_Comm_size"));
  return sr_decide(options, ranks, rank, d);
}

static int64_t bits_of(double x) {
  int64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

/* Ranks that compute different things would wait for one another in vain, or give bits that depend on the rank. */
static sr_status check_alike(MPI_Comm comm, const sr_decision *d) {
  const sr_options *o = &d->opt;
  const int64_t options[] = {o->q_len,    o->kv_len,           o->q_heads,        o->kv_heads,
                             o->head_dim, o->value_dim,        o->dtype,          o->out_dtype,
                             d->q_start,  o->mask.window_left, o->mask.causal,    o->mask.window_right,
                             d->zigzag,   o->refuse_nonfinite, bits_of(d->scale), o->products};
  uint64_t name = 0;
  bool alike;
  for (const char *c = d->kernel->isa; *c; c++) name = name * 131 + (unsigned char)*c;
  const int64_t isa = (int64_t)(name >> 1);
  SR_TRY(sr_comm_alike(comm, options, (int)(sizeof options / sizeof options[0]), &alike));
  if (!alike) return sr_fail(SR_ERR_ARGUMENT, "the ranks passed different options");
  SR_TRY(sr_comm_alike(comm, &isa, 1, &alike));
  if (alike) return SR_OK;
  return sr_fail(SR_ERR_ARGUMENT,
                 "the ranks run on processors of different instruction sets: set SEQRING_ISA on all of "
                 "them to one that each has, as avx2");
}

static sr_status decide_on(MPI_Comm comm, const sr_options *options, sr_decision *d) {
  int started = 0, ended = 0;
  if (MPI_Initialized(&started) || MPI_Finalized(&ended) || !started || ended)
    return sr_fail(SR_ERR_ARGUMENT, "a plan is made between MPI_Init and MPI_Finalize");
  SR_TRY(sr_agree(comm, decide_alone(comm, options, d)));
  return check_alike(comm, d);
}

static void describe(const sr_decision *d, double all_pairs, sr_plan_info *info) {
  double per_pair = 2.0 * (double)(d->opt.head_dim + d->opt.value_dim) * (double)d->opt.q_heads;
  *info = (sr_plan_info){
      .strategy = d->few ? "decode" : "ring",
      .balance = d->zigzag ? "zigzag" : "contiguous",
      .isa = d->kernel->isa,
      .compute = d->kernel->compute,
      .lse_dtype = d->lse_dtype,
      .ranks = d->ranks,
      .rank = d->rank,
      .threads = d->threads,
      .q_start = d->q_start,
      .scale = d->scale,
      .q_rows = sr_shard_count(&d->q),
      .kv_rows = sr_shard_count(&d->kv),
      .tile_rows = d->kernel->tile,
      .key_block = d->kernel->key_block,
      .workspace = d->workspace,
      .tensor_bytes = d->tensor_bytes,
      .sent_bytes = d->sent_bytes,
      .flops = per_pair * all_pairs,
      .rank_flops = per_pair * d->rank_pairs,
  };
}

sr_status sr_plan_estimate(MPI_Comm comm, const sr_options *options, sr_plan_info *info) {
  sr_decision d;
  *info = (sr_plan_info){0};
  SR_TRY(decide_on(comm, options, &d));
  double pairs = d.rank_pairs;
  SR_TRY(sr_comm_sum(comm, &pairs, 1));
  describe(&d, pairs, info);
  return SR_OK;
}

static void *carve(char **at, uint64_t bytes) {
  void *start = *at;
  *at += sr_align_up(bytes);
  return start;
}

/* One block of memory for everything that a forward needs. Its pages are first touched by the threads that fill them.
 */
static sr_status allocate(sr_plan *plan) {
  const sr_decision *d = &plan->d;
  if (d->opt.memory_limit && d->workspace > d->opt.memory_limit)
    return sr_fail(SR_ERR_RESOURCE, "a rank's workspace of %.2f GiB is over its limit of %.2f GiB",
                   (double)d->workspace / 0x1p30, (double)d->opt.memory_limit / 0x1p30);
  if (!d->few) SR_TRY(sr_transfer_create(plan->comm, d->shard_bytes, &plan->transfer));
  plan->workspace = sr_alloc(d->workspace - (d->few ? 0 : sr_transfer_workspace(d->shard_bytes)));
  if (!plan->workspace)
    return sr_fail(SR_ERR_RESOURCE, "no memory for a rank's workspace of %.2f GiB", (double)d->workspace / 0x1p30);
  char *at = plan->workspace;
  plan->queries = carve(&at, d->tile_bytes * (uint64_t)d->tiles);
  plan->accumulators = carve(&at, d->acc_bytes * (uint64_t)d->tiles * (uint64_t)(d->few ? d->threads : 1));
  for (int i = 0; i < d->buffers; i++) plan->block[i] = carve(&at, d->shard_bytes);
  plan->workers = carve(&at, d->worker_bytes * (uint64_t)d->threads);
  if (d->few) {
    plan->special = carve(&at, sr_decode_special_bytes(d));
    plan->mail = carve(&at, sr_decode_mail_bytes(d));
  } else {
    plan->query_norm = carve(&at, sr_query_norm_bytes(d));
    plan->key_norm = carve(&at, sr_key_norm_bytes(d));
    plan->batches = carve(&at, sizeof(sr_batch) * (uint64_t)d->n_batches);
    sr_batches(d->head_tiles, d->opt.kv_heads, d->batch, d->threads, plan->batches);
  }
  return SR_OK;
}

static sr_status build(MPI_Comm comm, const sr_decision *d, sr_plan **plan) {
  *plan = calloc(1, sizeof **plan);
  if (*plan) (*plan)->comm = MPI_COMM_NULL;
  /* Duplicating is collective: all ranks must have come so far. */
  SR_TRY(sr_agree(comm, *plan ? SR_OK : sr_fail(SR_ERR_RESOURCE, "no memory for a plan")));
  (*plan)->d = *d;
  SR_TRY(sr_comm_dup(comm, &(*plan)->comm));
  SR_TRY(sr_agree(comm, allocate(*plan)));
  (*plan)->all_pairs = d->rank_pairs;
  return sr_comm_sum(comm, &(*plan)->all_pairs, 1);
}

sr_status sr_plan_create(MPI_Comm comm, const sr_options *options, sr_plan **plan) {
  sr_decision d;
  *plan = NULL;
  SR_TRY(decide_on(comm, options, &d));
  sr_status status = build(comm, &d, plan);
  if (status != SR_OK) sr_plan_destroy(plan);
  return status;
}

void sr_plan_destroy(sr_plan **plan) {
  if (!*plan) return;
  sr_transfer_destroy(&(*plan)->transfer);
  sr_comm_free(&(*plan)->comm);
  sr_free((*plan)->workspace);
  free(*plan);
  *plan = NULL;
}

static void rows_of(const sr_shard *shard, sr_rows *rows) {
  *rows = (sr_rows){.count = sr_shard_count(shard), .n_spans = shard->n, .span = shard->span};
}

void sr_plan_q_rows(const sr_plan *plan, sr_rows *rows) {
  rows_of(&plan->d.q, rows);
}
void sr_plan_kv_rows(const sr_plan *plan, sr_rows *rows) {
  rows_of(&plan->d.kv, rows);
}
void sr_plan_stats_get(const sr_plan *plan, sr_plan_stats *stats) {
  *stats = plan->stats;
}

void sr_plan_describe(const sr_plan *plan, sr_plan_info *info) {
  describe(&plan->d, plan->all_pairs, info);
}

sr_tile_rows sr_plan_tile(const sr_plan *plan, int64_t tile) {
  const sr_decision *d = &plan->d;
  sr_tile_rows t = {.head = tile / d->head_tiles};
  int64_t in_head = tile % d->head_tiles, width = d->kernel->tile;
  for (int i = 0; i < d->q.n; i++) {
    sr_span span = d->q.span[i];
    int64_t rows = span.count * d->group, tiles = (rows + width - 1) / width;
    if (in_head < tiles) {
      t.first_row = in_head * width;
      t.rows = rows - t.first_row < width ? rows - t.first_row : width;
      t.position = d->q_start + span.start;
      break;
    }
    in_head -= tiles;
    t.local += span.count;
  }
  return t;
}

sr_accumulator sr_plan_accumulator(const sr_plan *plan, int64_t i) {
  const sr_decision *d = &plan->d;
  return sr_accumulator_at(d->kernel, (int32_t)d->opt.value_dim, plan->accumulators + (uint64_t)i * d->acc_bytes);
}

sr_status sr_plan_check_tensors(const sr_plan *plan, const sr_tensors *t) {
  bool q = sr_shard_count(&plan->d.q) > 0, kv = sr_shard_count(&plan->d.kv) > 0;
  if (!t || (q && (!t->q || !t->o || !t->lse)) || (kv && (!t->k || !t->v)))
    return sr_fail(SR_ERR_ARGUMENT, "a tensor that has rows on rank %d is NULL", plan->d.rank);
  return SR_OK;
}
