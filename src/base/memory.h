/* Aligned memory and checked sizes. */
#ifndef SR_BASE_MEMORY_H
#define SR_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Alignment of every block from sr_alloc: a cache line and the widest vector. */
enum { SR_ALIGN = 64 };

/* size rounded up to a multiple of SR_ALIGN. */
static inline uint64_t sr_align_up(uint64_t size) {
  return (size + (SR_ALIGN - 1)) & ~(uint64_t)(SR_ALIGN - 1);
}

/* Pieces one behind the other in a block, each at SR_ALIGN. Without memory they are only counted: one function tells
 * how large a block must be, and where its pieces lie. */
typedef struct sr_layout {
  char *memory; /* NULL: there is none yet */
  uint64_t used;
} sr_layout;

/* The next piece; NULL without memory. */
static inline void *sr_layout_take(sr_layout *layout, uint64_t bytes) {
  void *at = layout->memory ? layout->memory + layout->used : NULL;
  layout->used += sr_align_up(bytes);
  return at;
}

/* *out = a * b, or false when the product does not fit. */
static inline bool sr_mul(uint64_t a, uint64_t b, uint64_t *out) {
  return !__builtin_mul_overflow(a, b, out);
}

/* size bytes at SR_ALIGN, not cleared; NULL when there are none. 0 bytes give a pointer too. Large blocks ask for huge
 * pages: a page of 4 KiB holds less than one row of lanes of some heads, and each first touch of one costs a trip to
 * the kernel. */
void *sr_alloc(uint64_t size);
void sr_free(void *block);

/* Room for one more of the n elements of an array from malloc, or NULL at first, which doubles: the array, perhaps
 * moved; NULL when there is no memory, and then the old one stays. */
void *sr_grow(void *array, int64_t n, int64_t *room, size_t size);

/* Bytes that processes of this machine can still allocate without swapping: the least of what the kernel calls
 * available and what is left, cached files counted as such, under the limits of this process's control groups.
 * UINT64_MAX when neither is known. */
uint64_t sr_memory_available(void);

/* Largest resident size this process has had so far, in bytes. */
uint64_t sr_memory_peak(void);

#endif
