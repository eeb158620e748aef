#include <inttypes.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "batch.h"
#include "decision.h"
#include "decode.h"
#include "exchange.h"
#include "kernels/convert.h"
#include "schedule/heads.h"
#include "schedule/segment.h"
#include "worker.h"

enum { MOST_THREADS = 4096 };

/* Lengths below 2^48 keep positions, and all products of a length with a row's bytes, inside 64 bits. */
#define LONGEST ((int64_t)1 << 48)

/* Queries are multiplied by the scale before their products with keys: it must not take them out of float32's range. */
#define SMALLEST_SCALE 1e-30
#define LARGEST_SCALE  1e30

void sr_options_default(sr_options *options) {
  *options = (sr_options){.version = SR_OPTIONS_VERSION,
                          .dtype = SR_F32,
                          .out_dtype = SR_F32,
                          .mask = {.window_left = -1, .window_right = -1, .q_start = SR_Q_START_END},
                          .scale = (double)NAN};
}

static sr_status check_range(const char *name, int64_t value, int64_t least, int64_t most) {
  if (value >= least && value <= most) return SR_OK;
  return sr_fail(SR_ERR_ARGUMENT, "%s is %" PRId64 ", not from %" PRId64 " to %" PRId64, name, value, least, most);
}

static sr_status check_shape(const sr_options *o) {
  SR_TRY(check_range("q_len", o->q_len, 1, LONGEST));
  SR_TRY(check_range("kv_len", o->kv_len, 1, LONGEST));
  SR_TRY(check_range("q_heads", o->q_heads, 1, 1 << 20));
  SR_TRY(check_range("kv_heads", o->kv_heads, 1, 1 << 20));
  SR_TRY(check_range("head_dim", o->head_dim, 1, SR_WIDEST_HEAD));
  SR_TRY(check_range("value_dim", o->value_dim, 1, SR_WIDEST_HEAD));
  if (o->q_heads % o->kv_heads)
    return sr_fail(SR_ERR_ARGUMENT, "%" PRId64 " query heads are no multiple of %" PRId64 " KV heads", o->q_heads,
                   o->kv_heads);
  uint64_t row = (uint64_t)o->q_heads * (uint64_t)(o->head_dim + o->value_dim) * 2 * sizeof(double), bytes;
  if (!sr_mul(row, (uint64_t)o->q_len, &bytes) || !sr_mul(row, (uint64_t)o->kv_len, &bytes) || bytes > INT64_MAX)
    return sr_fail(SR_ERR_ARGUMENT, "the shape has more bytes than a machine can count");
  return SR_OK;
}

static sr_status check_mask(const sr_mask *m) {
  SR_TRY(check_range("window_left", m->window_left, -1, LONGEST));
  SR_TRY(check_range("window_right", m->window_right, -1, LONGEST));
  if (m->q_start != SR_Q_START_END) SR_TRY(check_range("q_start", m->q_start, -LONGEST, LONGEST));
  return SR_OK;
}

static sr_status check_options(const sr_options *o) {
  if (!o || o->version != SR_OPTIONS_VERSION)
    return sr_fail(SR_ERR_ARGUMENT, "options of an unknown version: call sr_options_default first");
  for (size_t i = 0; i < sizeof o->reserved / sizeof o->reserved[0]; i++)
    if (o->reserved[i]) return sr_fail(SR_ERR_ARGUMENT, "a reserved option is set");
  SR_TRY(check_shape(o));
  SR_TRY(check_mask(&o->mask));
  if (!sr_dtype_size(o->dtype)) return sr_fail(SR_ERR_ARGUMENT, "dtype %d is none", (int)o->dtype);
  if (!sr_dtype_size(o->out_dtype)) return sr_fail(SR_ERR_ARGUMENT, "out_dtype %d is none", (int)o->out_dtype);
  if (o->scale != 0 && !isnan(o->scale) && !(fabs(o->scale) >= SMALLEST_SCALE && fabs(o->scale) <= LARGEST_SCALE))
    return sr_fail(SR_ERR_ARGUMENT, "scale is %g, whose size is not 0 or from %g to %g", o->scale, SMALLEST_SCALE,
                   LARGEST_SCALE);
  SR_TRY(check_range("threads", o->threads, 0, MOST_THREADS));
  SR_TRY(check_range("products", (int64_t)o->products, SR_PRODUCTS_AUTO, SR_PRODUCTS_BF16));
  SR_TRY(check_range("strategy", (int64_t)o->strategy, SR_STRATEGY_AUTO, SR_STRATEGY_DECODE));
  SR_TRY(check_range("head_ranks", o->head_ranks, 0, INT32_MAX));
  SR_TRY(check_range("piece_bytes", (int64_t)(o->piece_bytes & INT64_MAX), 0, INT32_MAX));
  return check_range("balance", (int64_t)o->balance, SR_BALANCE_AUTO, SR_BALANCE_WEIGHTED);
}

static sr_dtype choose_products(const sr_options *o) {
  if (o->products == SR_PRODUCTS_BF16) return SR_BF16;
  return o->dtype == SR_F64 ? SR_F64 : SR_F32;
}

uint64_t sr_query_norm_bytes(const sr_decision *d) {
  return (uint64_t)(d->tiles * d->kernel->tile) * sizeof(double);
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

/* What a batch keeps in the second-level cache: packed queries and sums of its rows, and a chunk of keys and values. */
enum { BATCH_ROWS = 768, BATCH_BYTES = 1 << 20, CHUNK_BYTES = 128 << 10 };

static void size_batches(sr_decision *d) {
  int64_t key = (int64_t)sr_key_bytes(d->kernel, d->opt.head_dim), block = d->kernel->key_block;
  int64_t row = key + d->opt.value_dim * (int64_t)sr_unit_bytes(d->kernel);
  int64_t rows = BATCH_BYTES / row < BATCH_ROWS ? BATCH_BYTES / row : BATCH_ROWS;
  int64_t blocks = CHUNK_BYTES / ((key + (int64_t)sr_value_bytes(d->kernel, d->opt.value_dim)) * block);
  int64_t most = SR_SEGMENT / block;
  d->batch = rows > d->kernel->tile ? rows / d->kernel->tile : 1;
  d->chunk = (int32_t)(block * (blocks < 1 ? 1 : blocks > most ? most : blocks));
  d->n_batches = sr_batches(d->head_tiles, d->work.kv_heads, d->batch, d->threads, NULL);
}

/* Bytes of the caller's tensors on this rank. */
static void count_tensors(sr_decision *d) {
  const sr_options *o = &d->opt;
  uint64_t q_rows = (uint64_t)sr_tokens_count(d->q), kv_rows = (uint64_t)sr_tokens_count(d->kv);
  uint64_t in = sr_dtype_size(o->dtype), out = sr_dtype_size(o->out_dtype), lse = sr_dtype_size(d->lse_dtype);
  uint64_t q_row = (uint64_t)o->q_heads * ((uint64_t)o->head_dim * in + (uint64_t)o->value_dim * out + lse);
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

static sr_status size_travel(sr_decision *d) {
  const sr_options *o = &d->opt;
  uint64_t buffers = 0;
  count_tiles(d);
  size_batches(d);
  SR_TRY(lay_blocks(d));
  for (int64_t s = 0; s < d->schedule.n_steps; s++) {
    const sr_messages *sent = &d->schedule.step[s].send;
    for (int64_t i = 0; i < sent->n; i++) d->sent_bytes += sr_block_message_bytes(&d->shape, sent->message[i].tokens);
  }
  d->mail_bytes = sr_exchange_mail_bytes(d);
  d->sent_bytes += sr_exchange_sent_bytes(d);
  for (int i = 0; i < d->schedule.buffers; i++) buffers += sr_align_up(d->buffer_bytes[i]);
  d->tile_bytes = sr_align_up((uint64_t)d->kernel->tile * sr_key_bytes(d->kernel, o->head_dim));
  d->worker_bytes = sr_worker_bytes(d);
  d->workspace = (d->tile_bytes + d->acc_bytes) * (uint64_t)d->tiles + d->worker_bytes * (uint64_t)d->threads +
                 sr_align_up(sr_query_norm_bytes(d)) + sr_align_up(sr_key_norm_bytes(d)) +
                 sr_align_up(sizeof(sr_batch) * (uint64_t)d->n_batches) + 2 * sr_align_up(d->mail_bytes);
  *(d->members > 1 ? &d->shared : &d->workspace) += buffers;
  return SR_OK;
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
  uint64_t mail = sr_decode_mail_bytes(d);
  if (d->ranks > 1) d->sent_bytes = d->tile_bytes * (uint64_t)d->tiles + mail;
  d->workspace = d->tile_bytes * (uint64_t)d->tiles + sr_align_up(mail) + sr_align_up(sr_decode_special_bytes(d)) +
                 (d->acc_bytes * (uint64_t)d->tiles + d->worker_bytes) * (uint64_t)d->threads;
}

/* A strategy that the user asks for must fit the problem: which kernels are used depends on the problem alone. */
static sr_status choose_strategy(sr_decision *d) {
  const sr_options *o = &d->opt;
  const bool few = o->q_len <= SR_DECODE_QUERIES;
  d->strategy = o->strategy != SR_STRATEGY_AUTO ? o->strategy : few ? SR_STRATEGY_DECODE : SR_STRATEGY_RING;
  if (few == sr_decision_few(d)) return SR_OK;
  if (few)
    return sr_fail(SR_ERR_ARGUMENT, "up to %d queries take the strategy decode, not %s", SR_DECODE_QUERIES,
                   sr_strategy_name(d->strategy));
  return sr_fail(SR_ERR_ARGUMENT, "the strategy decode is for up to %d queries, not %" PRId64, SR_DECODE_QUERIES,
                 o->q_len);
}

static void choose_balance(sr_decision *d) {
  const sr_options *o = &d->opt;
  const bool zigzag = o->mask.causal && o->mask.window_left < 0 && !sr_decision_few(d);
  d->balance = o->balance != SR_BALANCE_AUTO ? o->balance : zigzag ? SR_BALANCE_ZIGZAG : SR_BALANCE_CONTIGUOUS;
}

/* Ranks among which heads are dealt. */
static sr_status choose_head_ranks(sr_decision *d) {
  const sr_options *o = &d->opt;
  d->head_ranks = 1;
  if (o->head_ranks && d->strategy != SR_STRATEGY_HYBRID)
    return sr_fail(SR_ERR_ARGUMENT, "head_ranks are for the strategy hybrid, not %s", sr_strategy_name(d->strategy));
  if (d->strategy == SR_STRATEGY_ULYSSES) d->head_ranks = d->ranks;
  if (d->strategy == SR_STRATEGY_HYBRID) {
    for (int n = 1; n <= d->ranks && n <= o->kv_heads; n++)
      if (d->ranks % n == 0) d->head_ranks = n;
    if (o->head_ranks) d->head_ranks = o->head_ranks;
  }
  if (d->ranks % d->head_ranks)
    return sr_fail(SR_ERR_ARGUMENT, "%d ranks cannot be cut in groups of %d", d->ranks, d->head_ranks);
  if (d->head_ranks > o->q_heads)
    return sr_fail(SR_ERR_ARGUMENT, "%" PRId64 " query heads cannot be dealt to %d ranks", o->q_heads, d->head_ranks);
  return SR_OK;
}

/* Teams of the strategy; *team_of is [ranks] or NULL. */
static sr_status choose_teams(sr_decision *d, const sr_site *site, const int **team_of) {
  *team_of = d->strategy == SR_STRATEGY_NODE ? site->node_of : NULL;
  if (d->head_ranks == 1) return SR_OK;
  int *groups = sr_arena_take(&d->arena, d->ranks, sizeof *groups);
  if (!groups) return sr_fail(SR_ERR_RESOURCE, "no memory for %d ranks", d->ranks);
  for (int r = 0; r < d->ranks; r++) groups[r] = r / d->head_ranks;
  *team_of = groups;
  return SR_OK;
}

/* Finds this rank's place in the partition, and what it works on. */
static void find_work(sr_decision *d) {
  const sr_options *o = &d->opt;
  const sr_partition *p = &d->partition;
  const sr_teams *teams = &p->teams, *holders = &p->holders;
  const int holder = holders->of[d->rank];
  d->team = teams->of[d->rank];
  while (teams->member[teams->first[d->team] + d->member] != d->rank) d->member++;
  d->members = holders->first[holder + 1] - holders->first[holder];
  d->q = p->queries.of[d->rank];
  d->kv = p->keys.of[d->rank];
  d->work = (sr_work){d->q, d->kv, o->q_heads, o->kv_heads, d->group, 0, true};
  if (d->head_ranks > 1) {
    const sr_heads h = sr_heads_part(o->q_heads, o->kv_heads, d->head_ranks, d->member);
    d->work = (sr_work){p->team_queries.of[d->team],
                        p->team_keys.of[d->team],
                        h.q_count,
                        h.kv_count,
                        h.q_count / h.kv_count,
                        h.kv_first,
                        h.first};
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
                        .balance = d->balance,
                        .by_heads = d->head_ranks > 1};
  sr_route route = SR_ROUTE_DIRECT;
  SR_TRY(choose_teams(d, site, &problem.team_of));
  SR_TRY(sr_partition_make(&problem, &d->partition));
  find_work(d);
  if (sr_decision_few(d)) return SR_OK;
  if (d->strategy != SR_STRATEGY_WINDOW) SR_TRY(sr_route_round(&d->partition, &route));
  return sr_schedule_make(&d->partition, route, d->rank, &d->schedule);
}

sr_status sr_decide(const sr_options *options, const sr_site *site, sr_decision *d) {
  *d = (sr_decision){.ranks = site->ranks, .rank = site->rank};
  SR_TRY(check_options(options));
  d->opt = *options;
  const sr_options *o = &d->opt;
  SR_TRY(choose_strategy(d));
  SR_TRY(choose_head_ranks(d));
  choose_balance(d);
  SR_TRY(sr_kernel_choose(choose_products(o), sr_decision_few(d), &d->kernel));
  d->threads = o->threads ? o->threads : omp_get_max_threads();
  d->q_start = sr_mask_q_start(&o->mask, o->q_len, o->kv_len);
  d->scale = isnan(o->scale) ? 1 / sqrt((double)o->head_dim) : o->scale;
  d->lse_dtype = o->dtype == SR_F64 ? SR_F64 : SR_F32;
  d->group = o->q_heads / o->kv_heads;
  d->segments = sr_segments(o->kv_len);
  d->acc_bytes = sr_accumulator_bytes(d->kernel, (int32_t)o->value_dim);
  SR_TRY(distribute(d, site));
  count_tensors(d);
  if (sr_decision_few(d))
    size_decode(d);
  else
    SR_TRY(size_travel(d));
  sr_span all = {0, o->kv_len};
  d->rank_pairs = sr_partition_pairs(&d->partition, d->work.q, (sr_tokens){1, &all});
  return SR_OK;
}

void sr_decision_free(sr_decision *d) {
  sr_schedule_free(&d->schedule);
  sr_partition_free(&d->partition);
  sr_arena_free(&d->arena);
}
