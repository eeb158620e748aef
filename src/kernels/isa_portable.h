/* Any processor: vectors of 4 floats, which SSE2, NEON and their like all have. 12 accumulators, 3 queries, 1 key. */
#ifndef SR_KERNELS_ISA_PORTABLE_H
#define SR_KERNELS_ISA_PORTABLE_H

#include <stdint.h>

#define VECTOR_BYTES 16
#define NV           3
#define MR           4
#define KEY_BLOCK    64
#define PANELS       0
#define RUN          32
#define F32_WEIGHS   0
#define F64_WEIGHS   0
#define F32_ROOTS    1
#define F64_ROOTS    1
#define ISA_TEXT     "portable"
#define ISA(x)       sr_portable_##x

enum { SCORE_UNROLL = 1, VALUE_UNROLL = 2 }; /* which a pragma takes, unlike a macro */

typedef float f32_vec __attribute__((vector_size(VECTOR_BYTES)));
typedef double f64_vec __attribute__((vector_size(VECTOR_BYTES)));
typedef int32_t f32_ivec __attribute__((vector_size(VECTOR_BYTES)));
typedef int64_t f64_ivec __attribute__((vector_size(VECTOR_BYTES)));
typedef uint32_t f32_bits __attribute__((vector_size(VECTOR_BYTES))); /* whose sums wrap: NaN may have any bits */
typedef uint64_t f64_bits __attribute__((vector_size(VECTOR_BYTES)));

/* The functions of isa_avx512.h for one type. Numbers of a size from `whole`, 2^MANTISSA, on are integers; smaller ones are
 * rounded to one by adding it with their sign. magic = 1.5 * 2^MANTISSA: adding it leaves the nearest integer in the
 * low bits of the sum. */
#define PORTABLE(type, real, integer, mantissa, bias)                                                                  \
  static inline type##_vec type##_broadcast(const real *x) { return *x - (type##_vec){0}; }                            \
  static inline type##_vec type##_select(type##_ivec mask, type##_vec a, type##_vec b) {                               \
    return (type##_vec)((mask & (type##_ivec)a) | (~mask & (type##_ivec)b));                                           \
  }                                                                                                                    \
  static inline type##_vec type##_max(type##_vec a, type##_vec b) { return type##_select(a > b, a, b); }               \
  static inline type##_vec type##_round(type##_vec x) {                                                                \
    const real whole = (real)((integer)1 << mantissa);                                                                 \
    const type##_ivec sign = (type##_ivec)x & (type##_ivec)(-(type##_vec){0});                                         \
    const type##_vec border = (type##_vec)(sign | (type##_ivec)(whole - (type##_vec){0}));                             \
    return type##_select((x < whole) & (x > -whole), (x + border) - border, x);                                        \
  }                                                                                                                    \
  static inline type##_vec type##_ceil(type##_vec x) {                                                                 \
    type##_vec near = type##_round(x);                                                                                 \
    return type##_select(near < x, near + 1, near);                                                                    \
  }                                                                                                                    \
  static inline type##_vec type##_scale(type##_vec y, type##_vec n) {                                                  \
    const real magic = (real)1.5 * (real)((integer)1 << mantissa);                                                     \
    type##_vec power = (type##_vec)(((type##_bits)(n + magic) + bias) << mantissa);                                    \
    return type##_select(n < 2 - bias, (type##_vec){0}, y * power); /* NaN in y stays, whatever its payload */         \
  }                                                                                                                    \
  static inline int type##_any_above(type##_vec a, type##_vec b) {                                                     \
    type##_ivec above = a > b;                                                                                         \
    integer any = 0;                                                                                                   \
    for (unsigned i = 0; i < VECTOR_BYTES / sizeof(real); i++) any |= above[i];                                        \
    return any != 0;                                                                                                   \
  }

PORTABLE(f32, float, int32_t, 23, 127)
PORTABLE(f64, double, int64_t, 52, 1023)

#define f32_iota ((f32_ivec){0, 1, 2, 3})
#define f64_iota ((f64_ivec){0, 1})

static inline f32_vec f32_from_f16(const uint16_t *x) {
  f32_ivec half = {x[0], x[1], x[2], x[3]}, rest = (half & 0x7fff) << 13;
  f32_vec magnitude = f32_select(rest >= 0x0f800000, (f32_vec)(rest | 0x7f800000), (f32_vec)rest * 0x1p112f);
  return (f32_vec)((f32_ivec)magnitude | (half & 0x8000) << 16);
}
static inline f32_vec f32_from_bf16(const uint16_t *x) { return (f32_vec)((f32_ivec){x[0], x[1], x[2], x[3]} << 16); }

#endif
