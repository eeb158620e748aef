#include "stay.h"

#include "base/error.h"

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
  return has_some(tokens, sight->run[SR_RUN_SINKS]) || has_some(tokens, sight->run[SR_RUN_WINDOW]);
}

/* The only step in which some row of a tile sees keys, the first where none does, -1 where there are several. */
static int64_t only_step(const sr_decision *d, int64_t tile) {
  const sr_tile_rows t = sr_decision_tile(d, tile);
  const int64_t first = t.first_row / d->work.group, last = (t.first_row + t.rows - 1) / d->work.group;
  const sr_sight sight = sr_mask_union(&d->opt.mask, t.position + first, last - first + 1, d->opt.kv_len);
  int64_t only = -1;
  for (int64_t s = 0; s < d->schedule.n_steps; s++) {
    if (!meets(&sight, d->schedule.step[s].tokens)) continue;
    if (only >= 0) return -1;
    only = s;
  }
  return only < 0 ? 0 : only;
}

sr_status sr_stay_find(sr_decision *d) {
  d->stay = sr_arena_take(&d->arena, d->head_tiles, sizeof *d->stay);
  if (!d->stay) return sr_fail(SR_ERR_RESOURCE, "no memory for %lld tiles of queries", (long long)d->head_tiles);
  d->head_kept = 0;
  for (int64_t i = 0; i < d->head_tiles; i++) {
    d->stay[i] = (sr_stay){only_step(d, i), d->head_kept};
    d->head_kept += d->stay[i].step < 0;
  }
  return SR_OK;
}
