#include "tokens.h"

#include "segment.h"

static int64_t end_of(sr_span span) {
  return span.start + span.count;
}

void sr_tokens_append(sr_tokens *set, int64_t from, int64_t to) {
  if (from >= to) return;
  sr_span *last = set->n ? &set->span[set->n - 1] : NULL;
  if (!last || end_of(*last) < from)
    set->span[set->n++] = (sr_span){from, to - from};
  else if (end_of(*last) < to)
    last->count = to - last->start;
}

/* An empty set with room for n spans. */
static bool make_room(sr_arena *arena, int64_t n, sr_tokens *set) {
  *set = (sr_tokens){.span = sr_arena_take(arena, n, sizeof(sr_span))};
  return set->span != NULL;
}

int64_t sr_tokens_count(sr_tokens tokens) {
  int64_t count = 0;
  for (int64_t i = 0; i < tokens.n; i++) count += tokens.span[i].count;
  return count;
}

int64_t sr_tokens_before(sr_tokens tokens, int64_t position) {
  int64_t count = 0;
  for (int64_t i = 0; i < tokens.n && tokens.span[i].start < position; i++) {
    const int64_t left = position - tokens.span[i].start;
    count += left < tokens.span[i].count ? left : tokens.span[i].count;
  }
  return count;
}

bool sr_tokens_both(sr_arena *arena, sr_tokens a, sr_tokens b, sr_tokens *both) {
  if (!make_room(arena, a.n + b.n, both)) return false;
  for (int64_t i = 0, j = 0; i < a.n && j < b.n;) {
    const sr_span x = a.span[i], y = b.span[j];
    sr_tokens_append(both, x.start > y.start ? x.start : y.start, end_of(x) < end_of(y) ? end_of(x) : end_of(y));
    if (end_of(x) < end_of(y))
      i++;
    else
      j++;
  }
  return true;
}

bool sr_tokens_any(sr_arena *arena, sr_tokens a, sr_tokens b, sr_tokens *any) {
  if (!make_room(arena, a.n + b.n, any)) return false;
  for (int64_t i = 0, j = 0; i < a.n || j < b.n;) {
    const bool first = j == b.n || (i < a.n && a.span[i].start <= b.span[j].start);
    const sr_span next = first ? a.span[i++] : b.span[j++];
    sr_tokens_append(any, next.start, end_of(next));
  }
  return true;
}

int64_t sr_run_start(int64_t count, int64_t n, int64_t i) {
  const int64_t longer = count % n;
  return count / n * i + (i < longer ? i : longer);
}

/* Where a cut before the k-th token of a span falls. */
static int64_t cut(sr_span span, int64_t k, int64_t unit) {
  if (k <= 0) return span.start;
  if (k >= span.count) return end_of(span);
  const int64_t at = (span.start + k) / unit * unit;
  return at > span.start ? at : span.start;
}

bool sr_tokens_part(sr_arena *arena, sr_tokens tokens, int64_t i, int64_t n, int64_t unit, sr_tokens *part) {
  const int64_t count = sr_tokens_count(tokens);
  int64_t from = sr_run_start(count, n, i), to = sr_run_start(count, n, i + 1);
  if (!make_room(arena, tokens.n, part)) return false;
  for (int64_t s = 0; s < tokens.n; s++) {
    const sr_span span = tokens.span[s];
    sr_tokens_append(part, cut(span, from, unit), cut(span, to, unit));
    from -= span.count, to -= span.count;
  }
  return true;
}

int64_t sr_tokens_segments(sr_tokens tokens) {
  int64_t n = 0;
  for (int64_t i = 0; i < tokens.n; i++) n += sr_segments(tokens.span[i].count);
  return n;
}

sr_span sr_tokens_segment(sr_tokens tokens, int64_t i) {
  for (int64_t s = 0; s < tokens.n; s++) {
    const sr_span span = tokens.span[s];
    const int64_t n = sr_segments(span.count), at = i * SR_SEGMENT;
    if (i < n) return (sr_span){span.start + at, i == n - 1 ? span.count - at : SR_SEGMENT};
    i -= n;
  }
  return (sr_span){0, 0};
}
