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

/* Keys that a query sees to the right of its position, -1 for all. */
static int64_t right_reach(const sr_mask *mask) {
  return mask->causal ? 0 : mask->window_right;
}

int64_t sr_mask_q_start(const sr_mask *mask, int64_t q_len, int64_t kv_len) {
  return mask->q_start == SR_Q_START_END ? kv_len - q_len : mask->q_start;
}

sr_range sr_mask_range(const sr_mask *mask, int64_t position, int64_t kv_len) {
  sr_range seen = {0, kv_len};
  int64_t right = right_reach(mask);
  if (right >= 0) seen.hi = least(seen.hi, add_held(add_held(position, right), 1));
  if (mask->window_left >= 0) seen.lo = most(seen.lo, add_held(position, -mask->window_left));
  if (seen.lo >= seen.hi) seen = (sr_range){0, 0};
  return seen;
}

/* Neither end of what a query sees falls as its position grows, and neighbours' runs touch: the union is from what the
 * first query that sees a key sees to what the last one does. Keys beyond both ends make queries blind. */
sr_range sr_mask_union(const sr_mask *mask, int64_t first, int64_t count, int64_t kv_len) {
  int64_t right = right_reach(mask), last = first + count - 1;
  if (right >= 0) first = most(first, -right);
  if (mask->window_left >= 0) last = least(last, add_held(kv_len - 1, mask->window_left));
  if (first > last) return (sr_range){0, 0};
  return (sr_range){sr_mask_range(mask, first, kv_len).lo, sr_mask_range(mask, last, kv_len).hi};
}

/* Sum over x from first to first + count - 1 of the keys of a span that lie left of x. */
static double keys_left_of(int64_t first, int64_t count, sr_span keys) {
  int64_t end = first + count, key_end = keys.start + keys.count;
  int64_t from = least(most(first, keys.start), end), to = most(least(end, key_end), from); /* x within the span */
  double within = (double)(to - from), lowest = (double)(from - keys.start), highest = (double)(to - 1 - keys.start);
  return within * (lowest + highest) / 2 + (double)(end - to) * (double)keys.count;
}

double sr_mask_pairs(const sr_mask *mask, int64_t first, int64_t count, sr_span keys) {
  int64_t right = right_reach(mask);
  double pairs = (double)count * (double)keys.count;
  if (right >= 0) pairs = keys_left_of(first + right + 1, count, keys);
  if (mask->window_left >= 0) pairs -= keys_left_of(first - mask->window_left, count, keys);
  return pairs;
}
