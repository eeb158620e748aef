#include "deal.h"

#include <stdlib.h>

#include "mask.h"
#include "segment.h"

/* A weighted deal: runs a rank, at most; the shortest run, and what its length is a multiple of: whole tiles of every
 * kernel; and the keys whose products take as long as the rest of a query's work. */
enum { RUNS_A_RANK = 16, SHORTEST_RUN = 192, RUN_UNIT = 48, KEYS_A_QUERY = 256 };

/* len tokens, the begin of `room`, which are cut in n runs of whole units: each run is the owner's that it names. */
static bool deal_runs(sr_arena *arena, int64_t len, int64_t room, int64_t unit, int64_t n, const int *owner, int owners,
                      sr_deal *deal) {
  const int64_t units = room / unit + (room % unit != 0);
  int64_t *count = sr_arena_take(arena, owners, sizeof *count);
  *deal = (sr_deal){.owners = owners, .of = sr_arena_take(arena, owners, sizeof(sr_tokens))};
  if (!count || !deal->of) return false;
  for (int64_t i = 0; i < n; i++) count[owner[i]]++;
  for (int o = 0; o < owners; o++)
    if (!(deal->of[o].span = sr_arena_take(arena, count[o], sizeof(sr_span)))) return false;
  for (int64_t i = 0; i < n; i++) {
    int64_t from = sr_run_start(units, n, i) * unit, to = sr_run_start(units, n, i + 1) * unit;
    sr_tokens_append(&deal->of[owner[i]], from, to < len ? to : len);
  }
  return true;
}

/* Equal runs, one or two a rank. */
static bool deal_evenly(sr_arena *arena, int64_t len, int64_t room, int64_t unit, int ranks, bool zigzag,
                        sr_deal *deal) {
  const int64_t n = zigzag ? 2 * (int64_t)ranks : ranks;
  int *owner = sr_arena_take(arena, n, sizeof *owner);
  if (!owner) return false;
  for (int64_t i = 0; i < n; i++) owner[i] = (int)(i < ranks ? i : n - 1 - i);
  return deal_runs(arena, len, room, unit, n, owner, ranks, deal);
}

typedef struct run {
  double work;
  int64_t number;
} run;

static int most_work_first(const void *a, const void *b) {
  const run *x = a, *y = b;
  if (x->work != y->work) return x->work < y->work ? 1 : -1;
  return x->number < y->number ? -1 : x->number > y->number;
}

/* A heap of ranks by load: that with the least, of these the lowest, on top. */
static bool before(const run *a, const run *b) {
  return a->work < b->work || (a->work == b->work && a->number < b->number);
}

static void sink(run *heap, int n) {
  for (int i = 0, least; (least = 2 * i + 1) < n; i = least) {
    if (least + 1 < n && before(&heap[least + 1], &heap[least])) least++;
    if (!before(&heap[least], &heap[i])) return;
    const run held = heap[i];
    heap[i] = heap[least], heap[least] = held;
  }
}

static bool deal_by_work(sr_arena *arena, const sr_mask *mask, int64_t len, int64_t kv_len, int ranks, sr_deal *deal) {
  const int64_t start = sr_mask_q_start(mask, len, kv_len), units = len / RUN_UNIT + (len % RUN_UNIT != 0);
  const int64_t most = RUNS_A_RANK * (int64_t)ranks, runs = len / SHORTEST_RUN;
  const int64_t n = runs > most ? most : runs > ranks ? runs : ranks;
  run *todo = sr_arena_take(arena, n, sizeof *todo), *load = sr_arena_take(arena, ranks, sizeof *load);
  int *owner = sr_arena_take(arena, n, sizeof *owner);
  if (!todo || !load || !owner) return false;
  for (int64_t i = 0; i < n; i++) {
    const int64_t from = sr_run_start(units, n, i) * RUN_UNIT, end = sr_run_start(units, n, i + 1) * RUN_UNIT;
    const int64_t count = (end < len ? end : len) - from;
    if (count > 0)
      todo[i].work =
          sr_mask_pairs(mask, start + from, count, kv_len, (sr_span){0, kv_len}) + KEYS_A_QUERY * (double)count;
    todo[i].number = i;
  }
  qsort(todo, (size_t)n, sizeof *todo, most_work_first);
  for (int r = 0; r < ranks; r++) load[r].number = r;
  for (int64_t i = 0; i < n; i++) {
    owner[todo[i].number] = (int)load[0].number;
    load[0].work += todo[i].work;
    sink(load, ranks);
  }
  return deal_runs(arena, len, len, RUN_UNIT, n, owner, ranks, deal);
}

bool sr_deal_queries(sr_arena *arena, const sr_mask *mask, int64_t q_len, int64_t kv_len, int ranks, sr_balance balance,
                     sr_deal *deal) {
  if (balance == SR_BALANCE_WEIGHTED) return deal_by_work(arena, mask, q_len, kv_len, ranks, deal);
  return deal_evenly(arena, q_len, q_len, 1, ranks, balance == SR_BALANCE_ZIGZAG, deal);
}

bool sr_deal_keys(sr_arena *arena, int64_t kv_len, int64_t room, int ranks, sr_balance balance, sr_deal *deal) {
  return deal_evenly(arena, kv_len, room, SR_SEGMENT, ranks, balance == SR_BALANCE_ZIGZAG, deal);
}

bool sr_deal_to_teams(sr_arena *arena, const sr_deal *deal, const int *team_of, int n, sr_deal *teams) {
  *teams = (sr_deal){.owners = n, .of = sr_arena_take(arena, n, sizeof(sr_tokens))};
  if (!teams->of) return false;
  for (int owner = 0; owner < deal->owners; owner++) {
    sr_tokens *team = &teams->of[team_of[owner]];
    if (!sr_tokens_any(arena, *team, deal->of[owner], team)) return false;
  }
  return true;
}
