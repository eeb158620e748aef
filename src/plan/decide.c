#include "decision.h"

#include <inttypes.h>
#include <math.h>
#include <omp.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/threads.h"
#include "decode.h"
#include "exchange.h"
#include "schedule/heads.h"
#include "schedule/segment.h"
#include "stay.h"
#include "worker.h"
#include "workspace.h"

static sr_dtype choose_products(const sr_options *o) {
  if (o->products == SR_PRODUCTS_BF16) return SR_BF16;
  return o->dtype == SR_F64 ? SR_F64 : SR_F32;
}

uint64_t sr_decision_own_bytes(const sr_decision *d) {
  return sr_block_message_bytes(&d->shape, d->work.kv);
}

uint64_t sr_query_norm_bytes(const sr_decision *d) {
  return (uint64_t)d->kernel->tile * sizeof(double);
}

uint64_t sr_key_norm_bytes(const sr_decision *d) {
  return (uint64_t)(d->segments * d->opt.kv_heads) * sizeof(double);
}

static void count_tiles(sr_decision *d) {
  int64_t tile = d->kernel->tile;
  d->head_tiles = 0;
  for (int64_t i = 0; i < d->work.q.n; i++)
    d->head_tiles += (d->work.q.span[i].count * d->work.group + tile - 1) / tile;
  d->tiles = d->head_tiles * d->work.kv_heads;
}

/* What a batch keeps in the second-level cache: packed queries and sums of its rows, and a chunk of keys and values. To
 * arrange a chunk takes time, which more rows share. */
enum { BATCH_ROWS = 384, ARRANGED_ROWS = 576, BATCH_BYTES = 1 << 20, CHUNK_BYTES = 128 << 10 };

static void size_batches(sr_decision *d) {
  int64_t key = (int64_t)sr_key_bytes(d->kernel, d->opt.head_dim), block = d->kernel->key_block;
  int64_t row = key + d->opt.value_dim * (int64_t)sr_unit_bytes(d->kernel);
  int64_t most_rows = d->kernel->arrange ? ARRANGED_ROWS : BATCH_ROWS;
  int64_t rows = BATCH_BYTES / row < most_rows ? BATCH_BYTES / row : most_rows;
  int64_t blocks = CHUNK_BYTES / ((key + (int64_t)sr_value_bytes(d->kernel, d->opt.value_dim)) * block);
  int64_t most = SR_SEGMENT / block;
  d->batch = rows > d->kernel->tile ? rows / d->kernel->tile : 1;
  if (d->batch > d->head_tiles) d->batch = d->head_tiles;
  d->chunk = (int32_t)(block * (blocks < 1 ? 1 : blocks > most ? most : blocks));
  d->n_batches = sr_batches(d->head_tiles, d->work.kv_heads, d->batch, d->threads, sr_decision_order(d), NULL);
}

/* Bytes of the caller's tensors on this rank. */
static void count_tensors(sr_decision *d) {
  const sr_options *o = &d->opt;
  uint64_t q_rows = (uint64_t)sr_tokens_count(d->q), kv_rows = (uint64_t)sr_tokens_count(d->kv);
  uint64_t in = sr_dtype_size(o->dtype), out = sr_dtype_size(o->out_dtype), lse = sr_dtype_size(d->lse_dtype);
  uint64_t q_row = (uint64_t)o->q_heads * ((uint64_t)(o->head_dim * d->sets) * in + (uint64_t)o->value_dim * out + lse);
  d->tensor_bytes = q_rows * q_row + kv_rows * (uint64_t)o->kv_heads * (uint64_t)(o->head_dim + o->value_dim) * in;
}

/* Lays out what each step works on. */
static sr_status lay_blocks(sr_decision *d) {
  const sr_schedule *schedule = &d->schedule;
  bool ok = (d->block = sr_arena_take(&d->arena, schedule->n_steps, sizeof(sr_block))) != NULL;
  for (int64_t s = 0; ok && s < schedule->n_steps; s++) {
    const sr_step *step = &schedule->step[s];
    ok = sr_block_make(&d->arena, &d->shape, step->tokens, &d->block[s]);
    uint64_t *bytes = &d->buffer_bytes[step->buffer];
    if (d->block[s].bytes > *bytes) *bytes = d->block[s].bytes;
  }
  return ok ? SR_OK : sr_fail(SR_ERR_RESOURCE, "no memory to lay out keys and values");
}

/* What a rank has to do with of a shared buffer: what it sees, and what it packs or receives. */
static sr_status find_touched(sr_decision *d) {
  uint64_t most[SR_MOST_BUFFERS] = {0};
  sr_tokens seen, touched;
  sr_block block;
  if (d->members == 1) return SR_OK;
  bool ok = sr_partition_seen(&d->arena, &d->partition, d->work.q, &seen);
  for (int64_t s = 0; ok && s < d->schedule.n_steps; s++) {
    const sr_step *step = &d->schedule.step[s];
    const sr_messages *received = s > 0 ? &d->schedule.step[s - 1].receive : NULL;
    ok = sr_tokens_both(&d->arena, seen, step->tokens, &touched) &&
         (received || sr_tokens_any(&d->arena, touched, d->kv, &touched));
    for (int64_t i = 0; ok && received && i < received->n; i++)
      ok = sr_tokens_any(&d->arena, touched, received->message[i].tokens, &touched);
    ok = ok && sr_block_make(&d->arena, &d->shape, touched, &block);
    if (ok && block.bytes > most[step->buffer]) most[step->buffer] = block.bytes;
  }
  for (int i = 0; i < SR_MOST_BUFFERS; i++) d->touched += most[i];
  return ok ? SR_OK : sr_fail(SR_ERR_RESOURCE, "no memory to foretell a plan's memory");
}

static void count_sent(sr_decision *d, const sr_site *site, int rank, uint64_t bytes) {
  d->sent_bytes += bytes;
  if (site->node_of[rank] != site->node_of[d->rank]) d->far_bytes += bytes;
}

static void count_messages(sr_decision *d, const sr_site *site, const sr_messages *sent) {
  for (int64_t i = 0; i < sent->n; i++)
    count_sent(d, site, sent->message[i].rank, sr_block_message_bytes(&d->shape, sent->message[i].tokens));
}

/* What is exchanged where heads are dealt. */
static void count_exchange(sr_decision *d, const sr_site *site) {
  for (int member = 0; member < d->way.head_ranks; member++) {
    const uint64_t bytes = sr_exchange_sent_bytes(d, member);
    d->exchange_bytes += bytes;
    count_sent(d, site, sr_team_member(&d->partition.teams, d->team, member), bytes);
  }
}

static sr_status size_travel(sr_decision *d, const sr_site *site) {
  count_tiles(d);
  size_batches(d);
  SR_TRY(lay_blocks(d));
  SR_TRY(sr_stay_find(d));
  for (int64_t s = 0; s < d->schedule.n_steps; s++) count_messages(d, site, &d->schedule.step[s].send);
  if (d->way.head_ranks > 1) count_exchange(d, site);
  d->tile_bytes = sr_align_up((uint64_t)d->kernel->tile * sr_key_bytes(d->kernel, d->opt.head_dim));
  d->worker_bytes = sr_worker_bytes(d);
  return find_touched(d);
}

/* Items that each thread should find, so that none waits long for the last one. */
enum { ITEMS_A_THREAD = 4 };

/* Rows are tiles of one; every rank has all of them. */
static void size_decode(sr_decision *d) {
  const sr_options *o = &d->opt;
  int64_t segments = sr_tokens_segments(d->kv), wanted = ITEMS_A_THREAD * (int64_t)d->threads;
  d->tiles = o->q_len * o->q_heads;
  d->parts = segments > 0 ? (wanted + segments - 1) / segments : 1;
  if (d->parts > o->kv_heads) d->parts = o->kv_heads;
  d->tile_bytes = sr_row_bytes(o->head_dim, sr_unit_bytes(d->kernel));
  d->worker_bytes = sr_decode_worker_bytes(d);
  if (d->ranks > 1) d->sent_bytes = d->tile_bytes * (uint64_t)(d->tiles * d->sets) + sr_decode_reduced_bytes(d);
}

static void measure_workspace(sr_decision *d) {
  sr_layout own = {0}, shared = {0};
  sr_workspace pieces = sr_workspace_lay(d, &own);
  if (d->members > 1) sr_workspace_lay_buffers(d, &shared, &pieces);
  d->workspace = own.used, d->shared = shared.used;
}

/* Teams of the strategy; *team_of is [ranks] or NULL. */
static sr_status choose_teams(sr_decision *d, const sr_site *site, const int **team_of) {
  *team_of = d->way.solver->team == SR_TEAM_NODE ? site->node_of : NULL;
  if (d->way.head_ranks == 1) return SR_OK;
  int *groups = sr_arena_take(&d->arena, d->ranks, sizeof *groups);
  if (!groups) return sr_fail(SR_ERR_RESOURCE, "no memory for %d ranks", d->ranks);
  for (int r = 0; r < d->ranks; r++) groups[r] = r / d->way.head_ranks;
  *team_of = groups;
  return SR_OK;
}

/* Finds this rank's place in the partition, and what it works on. */
static void find_work(sr_decision *d) {
  const sr_options *o = &d->opt;
  const sr_partition *p = &d->partition;
  d->team = p->teams.of[d->rank];
  d->member = sr_team_place(&p->teams, d->rank);
  d->members = sr_team_size(&p->holders, p->holders.of[d->rank]);
  d->q = p->queries.of[d->rank];
  d->kv = p->keys.of[d->rank];
  d->work = (sr_work){d->q, d->kv, o->q_heads, o->kv_heads, d->group, 0, 0, true};
  if (d->way.head_ranks > 1) {
    const sr_heads h = sr_heads_part(o->q_heads, o->kv_heads, d->way.head_ranks, d->member);
    d->work = (sr_work){p->team_queries.of[d->team],
                        p->team_keys.of[d->team],
                        h.q_count,
                        h.kv_count,
                        h.q_count / h.kv_count,
                        h.q_first,
                        h.kv_first,
                        h.counts_kv};
  }
  d->shape = (sr_block_shape){d->kernel, o->kv_len, d->work.kv_heads, o->head_dim, o->value_dim};
}

/* Deals the tokens, and finds what this rank does with them. */
static sr_status distribute(sr_decision *d, const sr_site *site) {
  const sr_options *o = &d->opt;
  sr_problem problem = {.q_len = o->q_len,
                        .kv_len = o->kv_len,
                        .mask = o->mask,
                        .grain = d->kernel->pack,
                        .ranks = d->ranks,
                        .balance = d->way.balance,
                        .same_rows = o->same_rows,
                        .q_room = o->q_room ? o->q_room : o->q_len,
                        .kv_room = o->kv_room ? o->kv_room : o->kv_len,
                        .by_heads = d->way.head_ranks > 1};
  sr_route route = SR_ROUTE_DIRECT;
  SR_TRY(choose_teams(d, site, &problem.team_of));
  SR_TRY(sr_partition_make(&problem, &d->partition));
  find_work(d);
  if (sr_decision_decodes(d)) return SR_OK;
  if (!d->way.solver->direct) SR_TRY(sr_route_round(&d->partition, &route));
  return sr_schedule_make(&d->partition, route, d->rank, &d->schedule);
}

/* The caller's need not stay. */
static sr_status keep_arrays(sr_decision *d) {
  sr_options *o = &d->opt;
  sr_mask *mask = &o->mask;
  if (mask->n_documents > 0)
    mask->documents = sr_arena_copy(&d->arena, mask->documents, mask->n_documents, sizeof *mask->documents);
  if (mask->n_documents > 0 && !mask->documents)
    return sr_fail(SR_ERR_RESOURCE, "no memory for where %" PRId64 " documents begin", mask->n_documents);
  if (!o->slopes) return SR_OK;
  o->slopes = sr_arena_copy(&d->arena, o->slopes, o->q_heads, sizeof *o->slopes);
  return o->slopes ? SR_OK : sr_fail(SR_ERR_RESOURCE, "no memory for slopes");
}

void sr_decision_count_pairs(sr_decision *d) {
  sr_span queries = {0, d->opt.q_len}, keys = {0, d->opt.kv_len};
  d->rank_pairs = sr_decision_decodes(d) ? sr_partition_pairs(&d->partition, (sr_tokens){1, &queries}, d->kv)
                                         : sr_partition_pairs(&d->partition, d->work.q, (sr_tokens){1, &keys});
}

sr_status sr_decide(const sr_options *options, const sr_site *site, const sr_way *way, sr_decision *d) {
  *d = (sr_decision){.opt = *options, .ranks = site->ranks, .rank = site->rank, .way = *way};
  const sr_options *o = &d->opt;
  SR_TRY(keep_arrays(d));
  SR_TRY(sr_kernel_choose(choose_products(o), sr_decision_decodes(d), &d->kernel));
  d->threads = sr_threads_for(o->threads);
  d->q_start = sr_mask_q_start(&o->mask, o->q_len, o->kv_len);
  d->scale = isnan(o->scale) ? 1 / sqrt((double)o->head_dim) : o->scale;
  d->lse_dtype = o->dtype == SR_F64 ? SR_F64 : SR_F32;
  d->group = o->q_heads / o->kv_heads;
  d->segments = sr_segments(o->kv_len);
  d->sets = o->sink_queries ? SR_SIGHT_RUNS : 1;
  d->acc_bytes = sr_accumulator_bytes(d->kernel, (int32_t)o->value_dim);
  SR_TRY(distribute(d, site));
  count_tensors(d);
  if (sr_decision_decodes(d))
    size_decode(d);
  else
    SR_TRY(size_travel(d, site));
  measure_workspace(d);
  sr_decision_count_pairs(d);
  return SR_OK;
}

sr_tile_rows sr_decision_tile(const sr_decision *d, int64_t tile) {
  sr_tile_rows t = {.head = tile / d->head_tiles};
  int64_t in_head = tile % d->head_tiles, width = d->kernel->tile;
  for (int64_t i = 0; i < d->work.q.n; i++) {
    sr_span span = d->work.q.span[i];
    int64_t rows = span.count * d->work.group, tiles = (rows + width - 1) / width;
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

void sr_decision_free(sr_decision *d) {
  sr_schedule_free(&d->schedule);
  sr_partition_free(&d->partition);
  sr_arena_free(&d->arena);
}
