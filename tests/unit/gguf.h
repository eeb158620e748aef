/* GGUF files, made in memory. */
#ifndef TESTS_UNIT_GGUF_H
#define TESTS_UNIT_GGUF_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct gguf {
  uint8_t bytes[1 << 16];
  size_t n;
} gguf;

static inline void put(gguf *g, const void *from, size_t n) {
  memcpy(g->bytes + g->n, from, n);
  g->n += n;
}
static inline void put_u32(gguf *g, uint32_t value) {
  put(g, &value, sizeof value);
}
static inline void put_u64(gguf *g, uint64_t value) {
  put(g, &value, sizeof value);
}
static inline void put_text(gguf *g, const char *text) {
  put_u64(g, strlen(text));
  put(g, text, strlen(text));
}

static inline void put_head(gguf *g, uint32_t version, uint64_t tensors, uint64_t values) {
  g->n = 0;
  put(g, "GGUF", 4);
  put_u32(g, version);
  put_u64(g, tensors);
  put_u64(g, values);
}

/* A key, and the type of what is put next. */
static inline void put_key(gguf *g, const char *key, uint32_t type) {
  put_text(g, key);
  put_u32(g, type);
}

/* dims: the contiguous one first. */
static inline void put_tensor(gguf *g, const char *name, uint32_t rank, const uint64_t *dims, uint32_t type,
                              uint64_t offset) {
  put_text(g, name);
  put_u32(g, rank);
  for (uint32_t i = 0; i < rank; i++) put_u64(g, dims[i]);
  put_u32(g, type);
  put_u64(g, offset);
}

static inline void put_zeros(gguf *g, size_t until) {
  while (g->n < until) g->bytes[g->n++] = 0;
}

#endif
