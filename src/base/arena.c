#include "arena.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

/* Bytes of a chunk, unless one part needs more. */
enum { CHUNK = 64 << 10, ALIGN = _Alignof(max_align_t) };

struct sr_arena_chunk {
  struct sr_arena_chunk *next;
  uint64_t left;
  char *at;
  _Alignas(ALIGN) char bytes[];
};

static struct sr_arena_chunk *chunk_with(sr_arena *arena, uint64_t bytes) {
  struct sr_arena_chunk *chunk = arena->chunks;
  if (chunk && chunk->left >= bytes) return chunk;
  uint64_t room = bytes < CHUNK ? CHUNK : bytes;
  chunk = calloc(1, sizeof *chunk + room);
  if (!chunk) return NULL;
  *chunk = (struct sr_arena_chunk){.next = arena->chunks, .left = room, .at = chunk->bytes};
  arena->chunks = chunk;
  return chunk;
}

void *sr_arena_take(sr_arena *arena, int64_t n, uint64_t size) {
  uint64_t bytes;
  if (n < 0 || !sr_mul((uint64_t)n, size, &bytes) || bytes > INT64_MAX - ALIGN) return NULL;
  bytes = (bytes + ALIGN - 1) / ALIGN * ALIGN;
  struct sr_arena_chunk *chunk = chunk_with(arena, bytes);
  if (!chunk) return NULL;
  void *taken = chunk->at;
  chunk->at += bytes;
  chunk->left -= bytes;
  return taken;
}

void *sr_arena_copy(sr_arena *arena, const void *from, int64_t n, uint64_t size) {
  void *copy = sr_arena_take(arena, n, size);
  if (copy && n > 0) memcpy(copy, from, (uint64_t)n * size);
  return copy;
}

void sr_arena_free(sr_arena *arena) {
  for (struct sr_arena_chunk *chunk = arena->chunks, *next; chunk; chunk = next) {
    next = chunk->next;
    free(chunk);
  }
  arena->chunks = NULL;
}
