#include "element.h"

#include <seqring/types.h>
#include <string.h>

#include "base/convert.h"

enum { BLOCK = 32 };

/* A block's scale or offset. */
static float half_at(const uint8_t *from) {
  uint16_t half;
  float value;
  memcpy(&half, from, sizeof half);
  sr_to_f32(SR_F16, &half, 1, &value);
  return value;
}

static void from_f32(int64_t n, const uint8_t *from, float *to) {
  sr_to_f32(SR_F32, from, n, to);
}

static void from_f16(int64_t n, const uint8_t *from, float *to) {
  sr_to_f32(SR_F16, from, n, to);
}

static void from_bf16(int64_t n, const uint8_t *from, float *to) {
  sr_to_f32(SR_BF16, from, n, to);
}

/* A scale, and integers of 8 bits. */
static void from_q8_0(int64_t n, const uint8_t *from, float *to) {
  for (int64_t i = 0; i < n; i += BLOCK, from += 2 + BLOCK) {
    const float d = half_at(from);
    for (int64_t j = 0; j < BLOCK; j++) to[i + j] = d * (float)(int8_t)from[2 + j];
  }
}

/* Integers of 4 bits: the low halves of all bytes, then the high ones. */
static void unpack(const uint8_t *from, float d, int zero, float *to) {
  for (int64_t j = 0; j < BLOCK / 2; j++) {
    to[j] = d * (float)((from[j] & 15) - zero);
    to[j + BLOCK / 2] = d * (float)((from[j] >> 4) - zero);
  }
}

/* A scale, and integers of 4 bits. */
static void from_q4_0(int64_t n, const uint8_t *from, float *to) {
  for (int64_t i = 0; i < n; i += BLOCK, from += 2 + BLOCK / 2) unpack(from + 2, half_at(from), 8, to + i);
}

/* A scale, an offset, and integers of 4 bits. */
static void from_q4_1(int64_t n, const uint8_t *from, float *to) {
  for (int64_t i = 0; i < n; i += BLOCK, from += 4 + BLOCK / 2) {
    const float offset = half_at(from + 2);
    unpack(from + 4, half_at(from), 0, to + i);
    for (int64_t j = 0; j < BLOCK; j++) to[i + j] += offset;
  }
}

static const struct {
  int64_t block;
  uint64_t bytes;
  void (*to_f32)(int64_t n, const uint8_t *from, float *to);
} table[SR_N_ELEMENTS] = {
    [SR_ELEMENT_F32] = {1, 4, from_f32},
    [SR_ELEMENT_F16] = {1, 2, from_f16},
    [SR_ELEMENT_BF16] = {1, 2, from_bf16},
    [SR_ELEMENT_Q8_0] = {BLOCK, 2 + BLOCK, from_q8_0},
    [SR_ELEMENT_Q4_0] = {BLOCK, 2 + BLOCK / 2, from_q4_0},
    [SR_ELEMENT_Q4_1] = {BLOCK, 4 + BLOCK / 2, from_q4_1},
};

bool sr_element_row_bytes(sr_element element, int64_t width, uint64_t *bytes) {
  if (width < 1 || width % table[element].block) return false;
  return !__builtin_mul_overflow((uint64_t)(width / table[element].block), table[element].bytes, bytes);
}

void sr_element_to_f32(sr_element element, int64_t n, const void *from, float *to) {
  table[element].to_f32(n, from, to);
}
