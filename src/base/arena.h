/* Memory that is taken in small parts and given back all at once. */
#ifndef SR_BASE_ARENA_H
#define SR_BASE_ARENA_H

#include <stdint.h>

typedef struct sr_arena {
  struct sr_arena_chunk *chunks; /* NULL: empty */
} sr_arena;

/* n cleared elements of a size, aligned for any type; NULL when there is no memory. None give a pointer too. */
void *sr_arena_take(sr_arena *arena, int64_t n, uint64_t size);

/* A copy of n elements; NULL when there is no memory. */
void *sr_arena_copy(sr_arena *arena, const void *from, int64_t n, uint64_t size);

/* Gives back all that was taken. */
void sr_arena_free(sr_arena *arena);

#endif
