#include "plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "choose.h"
#include "decode.h"
#include "options.h"
#include "schedule/segment.h"
#include "stay.h"
#include "travel.h"

static int64_t bits_of(double x) {
  int64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

/* A number that stands for n values: other values have another one, but for one case in 2^63. */
static int64_t digest(const int64_t *value, int64_t n) {
  uint64_t sum = 0;
  for (int64_t i = 0; i < n; i++) {
    sum = (sum ^ (uint64_t)value[i]) * 0x9e3779b97f4a7c15;
    sum ^= sum >> 32;
  }
  return (int64_t)(sum >> 1);
}

static int64_t digest_of_reals(const double *value, int64_t n) {
  int64_t sum = 0;
  for (int64_t i = 0; i < n; i++) sum = digest((const int64_t[]){sum, bits_of(value[i])}, 2);
  return sum;
}

/* Ranks that compute different things would wait for one another in vain. */
static sr_status check_alike(MPI_Comm comm, const sr_options *o) {
  const int64_t options[] = {o->q_len,
                             o->kv_len,
                             o->q_heads,
                             o->kv_heads,
                             o->head_dim,
                             o->value_dim,
                             o->dtype,
                             o->out_dtype,
                             o->mask.causal,
                             o->mask.window_left,
                             o->mask.window_right,
                             o->mask.q_start,
                             o->mask.sinks,
                             o->mask.n_documents,
                             digest(o->mask.documents, o->mask.n_documents),
                             isnan(o->scale) ? -1 : bits_of(o->scale),
                             o->products,
                             o->strategy,
                             o->head_ranks,
                             o->balance,
                             o->same_rows,
                             o->q_room,
                             o->kv_room,
                             o->no_overlap,
                             (int64_t)o->piece_bytes,
                             o->refuse_nonfinite,
                             o->sink_queries,
                             o->slopes != NULL,
                             o->slopes ? digest_of_reals(o->slopes, o->q_heads) : 0};
  bool alike;
  SR_TRY(sr_comm_alike(comm, options, (int)(sizeof options / sizeof options[0]), &alike));
  return alike ? SR_OK : sr_fail(SR_ERR_ARGUMENT, "the ranks passed different options");
}

/* Bits must not depend on the rank. */
static sr_status check_kernels(MPI_Comm comm, const sr_kernel *kernel) {
  bool alike;
  SR_TRY(sr_comm_alike_text(comm, kernel->isa, &alike));
  if (alike) return SR_OK;
  return sr_fail(SR_ERR_ARGUMENT,
                 "the ranks use different instruction sets: set SEQRING_ISA on all of them to one that each has, as "
                 "with mpirun -x SEQRING_ISA=avx2");
}

static sr_status check_options(MPI_Comm comm, const sr_options *options) {
  int started = 0, ended = 0;
  if (MPI_Initialized(&started) || MPI_Finalized(&ended) || !started || ended)
    return sr_fail(SR_ERR_ARGUMENT, "a plan is made between MPI_Init and MPI_Finalize");
  SR_TRY(sr_agree(comm, sr_options_check(options)));
  return check_alike(comm, options);
}

/* Ranks all ways; prospect has room for SR_MOST_WAYS. site is to be freed. */
static sr_status find_ways(MPI_Comm comm, const sr_options *options, sr_site *site, sr_prospect *prospect, int *n) {
  SR_TRY(check_options(comm, options));
  SR_TRY(sr_site_find(comm, site));
  return sr_choose(comm, options, site, prospect, n);
}

static sr_status decide_on(MPI_Comm comm, const sr_options *options, sr_decision *d) {
  sr_prospect prospect[SR_MOST_WAYS];
  sr_site site = {0};
  int n;
  sr_status status = find_ways(comm, options, &site, prospect, &n);
  if (status == SR_OK) status = sr_agree(comm, sr_decide(options, &site, &prospect[0].way, d));
  sr_site_free(&site);
  if (status != SR_OK) return status;
  d->seconds = prospect[0].seconds;
  return check_kernels(comm, d->kernel);
}

sr_status sr_plan_choices(MPI_Comm comm, const sr_options *options, sr_plan_choice *choice, int room, int *n) {
  sr_prospect prospect[SR_MOST_WAYS];
  sr_site site = {0};
  *n = 0;
  sr_status status = find_ways(comm, options, &site, prospect, n);
  sr_site_free(&site);
  for (int i = 0; status == SR_OK && i < *n && i < room; i++) {
    const sr_prospect *p = &prospect[i];
    choice[i] = (sr_plan_choice){p->way.solver->strategy, p->way.head_ranks,  p->way.balance, p->seconds,
                                 (uint64_t)p->sent,       (uint64_t)p->memory};
  }
  return status;
}

/* Visible (query, key) pairs that a rank works on, of each head. */
static double pairs_of_heads(const sr_decision *d) {
  return d->rank_pairs * (double)d->work.q_heads;
}

static void describe(const sr_decision *d, double all_pairs, sr_plan_info *info) {
  const double per_pair = 2.0 * (double)(d->opt.head_dim + d->opt.value_dim);
  *info = (sr_plan_info){
      .strategy = d->way.solver->strategy,
      .head_ranks = d->way.head_ranks,
      .balance = d->way.balance,
      .isa = d->kernel->isa,
      .compute = d->kernel->compute,
      .lse_dtype = d->lse_dtype,
      .ranks = d->ranks,
      .rank = d->rank,
      .threads = d->threads,
      .q_start = d->q_start,
      .scale = d->scale,
      .q_rows = sr_tokens_count(d->q),
      .kv_rows = sr_tokens_count(d->kv),
      .tile_rows = d->kernel->tile,
      .key_block = d->kernel->key_block,
      .workspace = d->workspace,
      .shared = d->shared,
      .touched = d->touched,
      .tensor_bytes = d->tensor_bytes,
      .sent_bytes = d->sent_bytes,
      .far_bytes = d->far_bytes,
      .flops = per_pair * all_pairs,
      .seconds = d->seconds,
      .rank_flops = per_pair * pairs_of_heads(d),
  };
}

sr_status sr_plan_estimate(MPI_Comm comm, const sr_options *options, sr_plan_info *info) {
  sr_decision d = {0};
  *info = (sr_plan_info){0};
  sr_status status = decide_on(comm, options, &d);
  double pairs = pairs_of_heads(&d);
  if (status == SR_OK) status = sr_comm_sum(comm, &pairs, 1);
  if (status == SR_OK) describe(&d, pairs, info);
  sr_decision_free(&d);
  return status;
}

static sr_status check_limit(const sr_decision *d) {
  const uint64_t bytes = d->workspace + d->shared;
  if (!d->opt.memory_limit || bytes <= d->opt.memory_limit) return SR_OK;
  return sr_fail(SR_ERR_RESOURCE, "a rank's workspace of %.2f GiB is over its limit of %.2f GiB",
                 (double)bytes / 0x1p30, (double)d->opt.memory_limit / 0x1p30);
}

/* One block of memory for everything that a forward needs, but for what the team shares. Its pages are first touched by
 * the threads that fill them. */
static sr_status allocate(sr_plan *plan) {
  const sr_decision *d = &plan->d;
  SR_TRY(check_limit(d));
  plan->memory = sr_alloc(d->workspace);
  if (!plan->memory)
    return sr_fail(SR_ERR_RESOURCE, "no memory for a rank's workspace of %.2f GiB", (double)d->workspace / 0x1p30);
  plan->workspace = sr_workspace_lay(d, &(sr_layout){.memory = plan->memory});
  if (sr_decision_decodes(d)) return SR_OK;
  plan->exchange = (sr_exchange){.d = d, .outgoing = plan->workspace.outgoing, .incoming = plan->workspace.incoming};
  sr_batches(d->head_tiles, d->work.kv_heads, d->batch, d->threads, sr_decision_order(d), plan->workspace.batches);
  return SR_OK;
}

/* The buffers of a team that has several ranks. All ranks of the plan must call it alike. */
static sr_status share(sr_plan *plan) {
  const sr_decision *d = &plan->d;
  if (d->partition.holders.n == d->ranks) return SR_OK; /* each is alone */
  SR_TRY(sr_comm_split(plan->comm, d->team, &plan->team));
  if (d->members == 1) return SR_OK;
  SR_TRY(sr_shared_create(plan->team, d->shared, &plan->shared));
  sr_workspace_lay_buffers(d, &(sr_layout){.memory = plan->shared.memory}, &plan->workspace);
  return SR_OK;
}

static sr_status build(MPI_Comm comm, sr_decision *d, sr_plan **plan) {
  *plan = calloc(1, sizeof **plan);
  if (*plan) {
    (*plan)->comm = (*plan)->team = MPI_COMM_NULL;
    (*plan)->shared.window = MPI_WIN_NULL;
    (*plan)->d = *d;
    *d = (sr_decision){0}; /* the plan has it */
  }
  /* Duplicating is collective: all ranks must have come so far. */
  SR_TRY(sr_agree_memory(comm, *plan, "for a plan"));
  SR_TRY(sr_comm_dup(comm, &(*plan)->comm));
  SR_TRY(sr_agree(comm, allocate(*plan)));
  SR_TRY(sr_agree(comm, share(*plan)));
  SR_TRY(sr_agree(comm, sr_plan_make_transfers(*plan)));
  (*plan)->all_pairs = pairs_of_heads(&(*plan)->d);
  return sr_comm_sum(comm, &(*plan)->all_pairs, 1);
}

sr_status sr_plan_create(MPI_Comm comm, const sr_options *options, sr_plan **plan) {
  sr_decision d = {0};
  *plan = NULL;
  sr_status status = decide_on(comm, options, &d);
  if (status == SR_OK) status = build(comm, &d, plan);
  sr_decision_free(&d);
  if (status != SR_OK && status != SR_ERR_MPI) sr_plan_destroy(plan);
  if (status != SR_OK) *plan = NULL;
  return status;
}

void sr_plan_destroy(sr_plan **plan) {
  sr_plan *old = *plan;
  *plan = NULL;
  if (!old) return;
  sr_exchange_destroy(&old->exchange);
  for (int64_t s = 0; old->transfer && s < old->d.schedule.n_steps; s++) sr_transfer_destroy(&old->transfer[s]);
  free(old->transfer);
  free(old->step);
  sr_shared_destroy(&old->shared);
  sr_comm_free(&old->team);
  sr_comm_free(&old->comm);
  sr_free(old->memory);
  sr_decision_free(&old->d);
  free(old);
}

static void rows_of(sr_tokens tokens, sr_rows *rows) {
  *rows = (sr_rows){.count = sr_tokens_count(tokens), .n_spans = (int)tokens.n, .span = tokens.span};
}

void sr_plan_q_rows(const sr_plan *plan, sr_rows *rows) {
  rows_of(plan->d.q, rows);
}
void sr_plan_kv_rows(const sr_plan *plan, sr_rows *rows) {
  rows_of(plan->d.kv, rows);
}
const sr_step_stats *sr_plan_steps(const sr_plan *plan, int64_t *n) {
  *n = plan->steps_taken;
  return plan->step;
}

void sr_plan_stats_get(const sr_plan *plan, sr_plan_stats *stats) {
  *stats = plan->stats;
}

void sr_plan_describe(const sr_plan *plan, sr_plan_info *info) {
  describe(&plan->d, plan->all_pairs, info);
}

sr_status sr_plan_move(sr_plan *plan, int64_t q_start) {
  sr_decision *d = &plan->d;
  const sr_options *o = &d->opt;
  if (!sr_decision_decodes(d))
    return sr_fail(SR_ERR_ARGUMENT, "a plan of more than %d queries cannot be moved", SR_DECODE_QUERIES);
  SR_TRY(sr_options_check_position(q_start));
  sr_span all = {0, o->kv_len};
  d->q_start = d->opt.mask.q_start = d->partition.q_start = q_start;
  sr_decision_count_pairs(d);
  plan->all_pairs = sr_mask_pairs(&o->mask, q_start, o->q_len, o->kv_len, all) * (double)o->q_heads;
  return SR_OK;
}

double *sr_plan_key_norm(const sr_plan *plan, int64_t key) {
  return plan->workspace.key_norm + key / SR_SEGMENT * plan->d.opt.kv_heads + plan->d.work.first_kv_head;
}

sr_accumulator sr_plan_accumulator(const sr_plan *plan, int64_t i) {
  const sr_decision *d = &plan->d;
  return sr_accumulator_at(d->kernel, (int32_t)d->opt.value_dim,
                           plan->workspace.accumulators + (uint64_t)i * d->acc_bytes);
}

const void *sr_plan_queries(const sr_decision *d, const sr_tensors *tensors, int run) {
  return d->opt.sink_queries && run == SR_SIGHT_SINKS ? tensors->q_sinks : tensors->q;
}

sr_state sr_state_at(const sr_decision *d, char *queries, double *query_norm, int64_t apart,
                     sr_accumulator accumulator) {
  sr_state state = {.accumulator = accumulator};
  for (int run = 0; run < SR_SIGHT_RUNS; run++) {
    state.queries[run] = queries + (uint64_t)(sr_decision_set(d, run) * apart) * d->tile_bytes;
    state.query_norm[run] = query_norm + sr_decision_set(d, run) * apart * d->kernel->tile;
  }
  return state;
}

sr_state sr_plan_kept(const sr_plan *plan, int64_t tile) {
  const sr_decision *d = &plan->d;
  const int64_t i = tile / d->head_tiles * d->head_kept + sr_stay_of(d, tile).kept;
  return sr_state_at(d, plan->workspace.queries + (uint64_t)i * d->tile_bytes,
                     plan->workspace.query_norm + i * d->kernel->tile, sr_decision_kept(d),
                     sr_plan_accumulator(plan, i));
}

sr_status sr_plan_check_tensors(const sr_plan *plan, const sr_tensors *t) {
  bool q = plan->d.q.n > 0, kv = plan->d.kv.n > 0;
  if (!t || (q && (!t->q || !t->o || !t->lse || (plan->d.opt.sink_queries && !t->q_sinks))) || (kv && (!t->k || !t->v)))
    return sr_fail(SR_ERR_ARGUMENT, "a tensor that has rows on rank %d is NULL", plan->d.rank);
  return SR_OK;
}
