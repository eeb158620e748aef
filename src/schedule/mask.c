#include "mask.h"

static int64_t least(int64_t a, int64_t b) {
  return a < b ? a : b;
}
static int64_t most(int64_t a, int64_t b) {
  return a > b ? a : b;
}

/* a + b, held at the ends of the type: positions and windows come from the user. */
static int64_t add_held(int64_t a, int64_t b) {
  int64_t sum;
  if (__builtin_add_overflow(a, b, &sum)) return b < 0 ? INT64_MIN : INT64_MAX;
  return sum;
}

int64_t sr_mask_q_start(const sr_mask *mask, int64_t q_len, int64_t kv_len) {
  return mask->q_start == SR_Q_START_END ? kv_len - q_len : mask->q_start;
}

sr_range sr_mask_range(const sr_mask *mask, int64_t position, int64_t kv_len) {
  sr_range seen = {0, kv_len};
  if (mask->causal) seen.hi = least(seen.hi, add_held(position, 1));
  if (mask->window_right >= 0) seen.hi = least(seen.hi, add_held(add_held(position, mask->window_right), 1));
  if (mask->window_left >= 0) seen.lo = most(seen.lo, add_held(position, -mask->window_left));
  if (seen.lo >= seen.hi) seen = (sr_range){0, 0};
  return seen;
}

/* lo and hi never fall as the position grows, and neighbours' runs touch. */
sr_range sr_mask_union(const sr_mask *mask, int64_t first, int64_t count, int64_t kv_len) {
  int64_t lo = 0, hi = 0;
  for (int64_t i = 0; i < count && hi == 0; i++) {
    sr_range seen = sr_mask_range(mask, first + i, kv_len);
    lo = seen.lo, hi = seen.hi;
  }
  if (hi == 0) return (sr_range){0, 0};
  for (int64_t i = count - 1; i >= 0; i--) {
    sr_range seen = sr_mask_range(mask, first + i, kv_len);
    if (seen.hi > seen.lo) return (sr_range){lo, most(hi, seen.hi)};
  }
  return (sr_range){lo, hi};
}

double sr_mask_pairs(const sr_mask *mask, int64_t first, int64_t count, sr_span keys, int64_t kv_len) {
  double pairs = 0;
  for (int64_t i = 0; i < count; i++) {
    sr_range seen = sr_mask_range(mask, first + i, kv_len);
    int64_t n = least(seen.hi, keys.start + keys.count) - most(seen.lo, keys.start);
    if (n > 0) pairs += (double)n;
  }
  return pairs;
}
