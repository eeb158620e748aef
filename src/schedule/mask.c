#include "mask.h"

#include "base/rows.h"

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

/* Number of the document of a position, which is one that has keys. */
static int64_t document_of(const sr_mask *mask, int64_t position, int64_t kv_len) {
  return sr_part_of(mask->documents, mask->n_documents, most(0, least(position, kv_len - 1)));
}

/* Keys of a document. */
static sr_range document_at(const sr_mask *mask, int64_t number, int64_t kv_len) {
  if (mask->n_documents == 0) return (sr_range){0, kv_len};
  return (sr_range){mask->documents[number], sr_part_end(mask->documents, mask->n_documents, number, kv_len)};
}

/* What a query of a document sees; lo > hi where it sees nothing. */
static sr_range window_in(const sr_mask *mask, int64_t position, sr_range document) {
  sr_range seen = document;
  const int64_t right = right_reach(mask);
  if (right >= 0) seen.hi = least(seen.hi, add_held(add_held(position, right), 1));
  if (mask->window_left >= 0) seen.lo = most(seen.lo, add_held(position, -mask->window_left));
  return seen;
}

/* The runs of a query, or of several whose windows are joined in one, when its sinks may reach up to `to`. */
static sr_sight sight_of(const sr_mask *mask, sr_range document, int64_t to, sr_range window) {
  sr_range sinks = {document.lo, least(add_held(document.lo, mask->sinks), to)};
  if (window.lo >= window.hi)
    window = (sr_range){0, 0};
  else
    sinks.hi = least(sinks.hi, window.lo);
  if (sinks.lo >= sinks.hi) sinks = (sr_range){0, 0};
  return (sr_sight){{sinks, window}};
}

sr_sight sr_mask_sees(const sr_mask *mask, int64_t position, int64_t kv_len) {
  const sr_range document = document_at(mask, document_of(mask, position, kv_len), kv_len);
  const sr_range window = window_in(mask, position, document);
  return sight_of(mask, document, window.hi, window);
}

/* Neither end of a window falls as its query's position grows, and neighbours' windows touch: their union is from that
 * of the first query that sees a key to that of the last one. Keys beyond both ends make windows empty. Sinks before it
 * are those of the first query's document, as far as its last query may look; later documents begin in it. */
sr_sight sr_mask_union(const sr_mask *mask, int64_t first, int64_t count, int64_t kv_len) {
  const int64_t right = right_reach(mask);
  const int64_t number = document_of(mask, first, kv_len);
  const sr_range document = document_at(mask, number, kv_len);
  int64_t last = first + count - 1;
  const int64_t last_there = document.hi < kv_len ? least(last, document.hi - 1) : last;
  const int64_t to = window_in(mask, last_there, document).hi;
  sr_range window = {0, 0};
  if (right >= 0) first = most(first, -right);
  if (mask->window_left >= 0) last = least(last, add_held(kv_len - 1, mask->window_left));
  if (first <= last) {
    window.lo = window_in(mask, first, document_at(mask, document_of(mask, first, kv_len), kv_len)).lo;
    window.hi = window_in(mask, last, document_at(mask, document_of(mask, last, kv_len), kv_len)).hi;
  }
  return sight_of(mask, document, to, window);
}

/* Sum over x from first to first + count - 1 of the keys of a span that lie left of x. */
static double keys_left_of(int64_t first, int64_t count, sr_range keys) {
  const int64_t end = first + count;
  int64_t from = least(most(first, keys.lo), end), to = most(least(end, keys.hi), from); /* x within the span */
  double within = (double)(to - from), lowest = (double)(from - keys.lo), highest = (double)(to - 1 - keys.lo);
  return within * (lowest + highest) / 2 + (double)(end - to) * (double)(keys.hi - keys.lo);
}

/* Pairs of queries of a document, and some of its keys. */
static double pairs_in(const sr_mask *mask, int64_t first, int64_t count, sr_range document, sr_range keys) {
  const int64_t right = right_reach(mask);
  double pairs = (double)count * (double)(keys.hi - keys.lo);
  if (right >= 0) pairs = keys_left_of(first + right + 1, count, keys);
  keys.lo = most(keys.lo, least(keys.hi, add_held(document.lo, mask->sinks))); /* no sinks */
  if (mask->window_left >= 0) pairs -= keys_left_of(first - mask->window_left, count, keys);
  return pairs;
}

double sr_mask_pairs(const sr_mask *mask, int64_t first, int64_t count, int64_t kv_len, sr_span keys) {
  const int64_t end = first + count;
  if (count <= 0 || keys.count <= 0) return 0;
  const int64_t first_there = document_of(mask, first, kv_len), last_there = document_of(mask, end - 1, kv_len);
  const int64_t from = most(first_there, document_of(mask, keys.start, kv_len));
  const int64_t to = least(last_there, document_of(mask, keys.start + keys.count - 1, kv_len));
  double pairs = 0;
  for (int64_t i = from; i <= to; i++) {
    const sr_range document = document_at(mask, i, kv_len);
    const sr_range some = {most(document.lo, keys.start), least(document.hi, keys.start + keys.count)};
    const int64_t start = i == first_there ? first : document.lo, stop = i == last_there ? end : document.hi;
    if (some.lo < some.hi) pairs += pairs_in(mask, start, stop - start, document, some);
  }
  return pairs;
}
