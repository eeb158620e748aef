#include "block.h"

#include <string.h>

#include "schedule/segment.h"

static int64_t pad(const sr_block_shape *shape, int64_t keys) {
  const int64_t block = shape->kernel->key_block;
  return (keys + block - 1) / block * block;
}

static uint64_t key_bytes(const sr_block_shape *shape) {
  return sr_key_bytes(shape->kernel, shape->head_dim);
}

/* Of `pack` values together, which are never parted. */
static uint64_t values_bytes(const sr_block_shape *shape) {
  return sr_value_bytes(shape->kernel, shape->value_dim) * (uint64_t)shape->kernel->pack;
}

/* Packs of values that so many keys have. */
static int64_t packs(const sr_block_shape *shape, int64_t keys) {
  return (keys + shape->kernel->pack - 1) / shape->kernel->pack;
}

/* Bytes of one KV head's keys, and of its values, with padding. */
static uint64_t head_bytes(const sr_block_shape *shape, const sr_segment *s, bool values) {
  return values ? (uint64_t)packs(shape, s->padded) * values_bytes(shape) : (uint64_t)s->padded * key_bytes(shape);
}

static uint64_t segment_bytes(const sr_block_shape *shape, const sr_segment *s) {
  return (uint64_t)shape->kv_heads * (head_bytes(shape, s, false) + head_bytes(shape, s, true));
}

static sr_segment segment_at(const sr_block_shape *shape, int64_t number, uint64_t offset) {
  const int64_t start = number * SR_SEGMENT, left = shape->kv_len - start;
  const sr_span keys = {start, left < SR_SEGMENT ? left : SR_SEGMENT};
  return (sr_segment){.keys = keys, .padded = pad(shape, keys.count), .offset = offset};
}

/* All segments but the last one of the sequence take as much memory as the first. */
static uint64_t bytes_before(const sr_block_shape *shape, int64_t n) {
  const sr_segment whole = {.padded = SR_SEGMENT};
  return (uint64_t)n * segment_bytes(shape, &whole);
}

sr_segment sr_block_segment(const sr_block_shape *shape, const sr_block *block, int64_t i) {
  int64_t run = 0, in_run = i;
  while (in_run >= block->runs.span[run].count) in_run -= block->runs.span[run++].count;
  return segment_at(shape, block->runs.span[run].start + in_run, bytes_before(shape, i));
}

int64_t sr_block_find(const sr_block *block, int64_t start) {
  const int64_t number = start / SR_SEGMENT;
  int64_t before = 0, run = 0;
  while (block->runs.span[run].start + block->runs.span[run].count <= number) before += block->runs.span[run++].count;
  return before + number - block->runs.span[run].start;
}

bool sr_block_make(sr_arena *arena, const sr_block_shape *shape, sr_tokens tokens, sr_block *block) {
  *block = (sr_block){.runs.span = sr_arena_take(arena, tokens.n, sizeof(sr_span)), .tokens = tokens};
  if (!block->runs.span) return false;
  for (int64_t i = 0; i < tokens.n; i++) {
    const int64_t start = tokens.span[i].start;
    sr_tokens_append(&block->runs, start / SR_SEGMENT, sr_segments(start + tokens.span[i].count));
  }
  block->n = sr_tokens_count(block->runs);
  if (block->n == 0) return true;
  const sr_segment last = sr_block_segment(shape, block, block->n - 1);
  block->bytes = last.offset + segment_bytes(shape, &last);
  return true;
}

char *sr_block_k(const sr_block_shape *shape, const sr_segment *s, int64_t head, char *memory) {
  return memory + s->offset + (uint64_t)head * head_bytes(shape, s, false);
}

char *sr_block_v(const sr_block_shape *shape, const sr_segment *s, int64_t head, char *memory) {
  return sr_block_k(shape, s, shape->kv_heads, memory) + (uint64_t)head * head_bytes(shape, s, true);
}

uint64_t sr_block_message_bytes(const sr_block_shape *shape, sr_tokens tokens) {
  uint64_t bytes = 0;
  for (int64_t i = 0; i < tokens.n; i++) /* segments are whole packs */
    bytes += (uint64_t)tokens.span[i].count * key_bytes(shape) +
             (uint64_t)packs(shape, tokens.span[i].count) * values_bytes(shape);
  return bytes * (uint64_t)shape->kv_heads;
}

int64_t sr_block_most_stretches(const sr_block_shape *shape, sr_tokens tokens) {
  int64_t n = 0;
  for (int64_t i = 0; i < tokens.n; i++) n += sr_segments(tokens.span[i].count) + 1 + 4 * shape->kv_heads;
  return n;
}

/* Adds a stretch, joined to the last one where they touch. */
static int64_t add(sr_stretch *stretch, int64_t n, char *at, uint64_t bytes) {
  if (n > 0 && stretch[n - 1].at + stretch[n - 1].bytes == at)
    stretch[n - 1].bytes += bytes;
  else if (bytes > 0)
    stretch[n++] = (sr_stretch){at, bytes};
  return n;
}

/* Keys lo <= j < hi of a segment, head by head; lo is the first of a pack. */
static int64_t add_rows(const sr_block_shape *shape, const sr_segment *s, sr_keys rows, char *memory,
                        sr_stretch *stretch, int64_t n) {
  const uint64_t key = key_bytes(shape), values = values_bytes(shape);
  const int64_t first = rows.lo / shape->kernel->pack, last = packs(shape, rows.hi);
  for (int64_t head = 0; head < shape->kv_heads; head++)
    n = add(stretch, n, sr_block_k(shape, s, head, memory) + (uint64_t)rows.lo * key,
            (uint64_t)(rows.hi - rows.lo) * key);
  for (int64_t head = 0; head < shape->kv_heads; head++)
    n = add(stretch, n, sr_block_v(shape, s, head, memory) + (uint64_t)first * values,
            (uint64_t)(last - first) * values);
  return n;
}

int64_t sr_block_stretches(const sr_block_shape *shape, const sr_block *block, sr_tokens tokens, char *memory,
                           sr_stretch *stretch) {
  int64_t n = 0;
  for (int64_t t = 0; t < tokens.n; t++) {
    const sr_range range = {tokens.span[t].start, tokens.span[t].start + tokens.span[t].count};
    const int64_t first = sr_block_find(block, range.lo), last = sr_block_find(block, range.hi - 1);
    for (int64_t i = first; i <= last; i++) {
      const sr_segment s = sr_block_segment(shape, block, i);
      n = add_rows(shape, &s, sr_block_sees(s.keys, range), memory, stretch, n);
    }
  }
  return n;
}

/* Clears keys lo <= j < hi of a segment and what lies beside them in a pack behind them; lo may not be the first of
 * one. */
static void clear_rows(const sr_block_shape *shape, const sr_segment *s, int64_t lo, int64_t hi, char *memory) {
  const uint64_t key = key_bytes(shape), values = values_bytes(shape);
  const int64_t first = packs(shape, lo), last = packs(shape, hi);
  for (int64_t head = 0; head < shape->kv_heads && lo < hi; head++) {
    memset(sr_block_k(shape, s, head, memory) + (uint64_t)lo * key, 0, (uint64_t)(hi - lo) * key);
    memset(sr_block_v(shape, s, head, memory) + (uint64_t)first * values, 0, (uint64_t)(last - first) * values);
  }
}

/* Clears what lies between the tokens of one segment, and behind them; those of the block from span t on may be in it.
 */
static void clear_segment(const sr_block_shape *shape, const sr_segment *s, sr_tokens tokens, int64_t t, char *memory) {
  int64_t done = 0; /* keys before are taken, or cleared */
  for (; t < tokens.n && tokens.span[t].start < s->keys.start + s->keys.count; t++) {
    const sr_span span = tokens.span[t];
    const sr_keys taken = sr_block_sees(s->keys, (sr_range){span.start, span.start + span.count});
    clear_rows(shape, s, done, taken.lo, memory);
    done = taken.hi;
  }
  clear_rows(shape, s, done, s->padded, memory);
}

void sr_block_clear_rest(const sr_block_shape *shape, const sr_block *block, char *memory) {
  for (int64_t i = 0, t = 0; i < block->n; i++) {
    const sr_segment s = sr_block_segment(shape, block, i);
    while (block->tokens.span[t].start + block->tokens.span[t].count <= s.keys.start) t++;
    clear_segment(shape, &s, block->tokens, t, memory);
  }
}
