#include "stay.h"

#include <inttypes.h>

#include "base/error.h"
#include "base/rows.h"

/* Whether a set has tokens in a range. */
static bool has_some(sr_tokens tokens, sr_range range) {
  int64_t lo = 0, hi = tokens.n; /* the first span that ends behind range.lo is in [lo, hi] */
  while (lo < hi) {
    const int64_t middle = lo + (hi - lo) / 2;
    if (tokens.span[middle].start + tokens.span[middle].count > range.lo)
      hi = middle;
    else
      lo = middle + 1;
  }
  return range.lo < range.hi && lo < tokens.n && tokens.span[lo].start < range.hi;
}

static bool meets(const sr_sight *sight, sr_tokens tokens) {
  return has_some(tokens, sight->run[SR_SIGHT_SINKS]) || has_some(tokens, sight->run[SR_SIGHT_WINDOW]);
}

/* What some row of tiles [first, last] sees, and what lies between. */
static sr_sight sight_of(const sr_decision *d, int64_t first, int64_t last) {
  const sr_tile_rows from = sr_decision_tile(d, first), to = sr_decision_tile(d, last);
  const int64_t position = from.position + from.first_row / d->work.group;
  const int64_t end = to.position + (to.first_row + to.rows - 1) / d->work.group + 1;
  return sr_mask_union(&d->opt.mask, position, end - position, d->opt.kv_len);
}

/* The only step that has keys in sight, the first where none has, -1 where there are several. */
static int64_t only_step(const sr_decision *d, const sr_sight *sight) {
  int64_t only = -1;
  for (int64_t s = 0; s < d->schedule.n_steps; s++) {
    if (!meets(sight, d->schedule.step[s].tokens)) continue;
    if (only >= 0) return -1;
    only = s;
  }
  return only < 0 ? 0 : only;
}

/* What all of the tiles [first, last] have in sight at least: neither end of the window, or of the sinks, falls from
 * one to the next. */
static sr_sight common_sight(const sr_decision *d, int64_t first, int64_t last) {
  const sr_sight from = sight_of(d, first, first), to = sight_of(d, last, last);
  sr_sight sight = {0};
  for (int run = 0; run < SR_SIGHT_RUNS; run++)
    if (to.run[run].lo < to.run[run].hi) sight.run[run] = (sr_range){to.run[run].lo, from.run[run].hi};
  return sight;
}

/* Whether this is the only step of all of the tiles [first, last], or all have several. */
static bool all_have(const sr_decision *d, int64_t first, int64_t last, int64_t step) {
  const sr_sight sight = step < 0 ? common_sight(d, first, last) : sight_of(d, first, last);
  return only_step(d, &sight) == step;
}

/* Behind the last of the tiles from `first` of which that can be told. Strides grow until one is too long, so that a
 * long sequence takes no time; but that tiles have several steps is told one by one where their sinks are in one step
 * and their windows, which do not overlap, in another. */
static int64_t group_end(const sr_decision *d, int64_t first, int64_t step) {
  int64_t end = first + 1;
  bool grows = true;
  for (int64_t stride = 1; stride > 0 && end < d->head_tiles; stride = grows ? 2 * stride : stride / 2) {
    const int64_t next = stride < d->head_tiles - end ? end + stride : d->head_tiles;
    if (all_have(d, first, next - 1, step))
      end = next;
    else
      grows = false;
  }
  return end;
}

/* Counts the groups, and the tiles that keep their state; writes where groups begin and what they are, unless these are
 * NULL. */
static void find_groups(sr_decision *d, int64_t *begin, sr_stay *stay) {
  d->n_stays = d->head_kept = 0;
  for (int64_t tile = 0; tile < d->head_tiles; d->n_stays++) {
    const sr_sight sight = sight_of(d, tile, tile);
    const int64_t step = only_step(d, &sight), end = group_end(d, tile, step);
    if (begin) begin[d->n_stays] = tile, stay[d->n_stays] = (sr_stay){step, d->head_kept};
    if (step < 0) d->head_kept += end - tile;
    tile = end;
  }
}

sr_status sr_stay_find(sr_decision *d) {
  find_groups(d, NULL, NULL);
  d->stay_begin = sr_arena_take(&d->arena, d->n_stays, sizeof *d->stay_begin);
  d->stay = sr_arena_take(&d->arena, d->n_stays, sizeof *d->stay);
  if (!d->stay_begin || !d->stay)
    return sr_fail(SR_ERR_RESOURCE, "no memory for %" PRId64 " groups of tiles", d->n_stays);
  find_groups(d, d->stay_begin, d->stay);
  return SR_OK;
}

sr_stay sr_stay_of(const sr_decision *d, int64_t tile) {
  const int64_t in_head = tile % d->head_tiles, group = sr_part_of(d->stay_begin, d->n_stays, in_head);
  sr_stay stay = d->stay[group];
  if (stay.step < 0) stay.kept += in_head - d->stay_begin[group];
  return stay;
}
