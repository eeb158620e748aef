/* The kernels of every instruction set that this build may have, and the functions that they share. */
#ifndef SR_KERNELS_VARIANTS_H
#define SR_KERNELS_VARIANTS_H

#include "kernel.h"

#define SR_FOLD(name)                                                                                                  \
  void name##_fold(const sr_partial *partial, int count, int32_t value_dim, const sr_accumulator *to);                 \
  void name##_divide(const sr_accumulator *acc, int32_t value_dim);

#define SR_VARIANT(isa)                                                                                                \
  extern const sr_kernel sr_##isa##_f32_kernel, sr_##isa##_f64_kernel, sr_##isa##_bf16_kernel;                         \
  extern const sr_row_kernel sr_##isa##_f32_row_kernel, sr_##isa##_f64_row_kernel;                                     \
  extern const sr_kernel sr_##isa##_f32_few, sr_##isa##_f64_few, sr_##isa##_bf16_few;                                  \
  SR_FOLD(sr_##isa##_f32)                                                                                              \
  SR_FOLD(sr_##isa##_f64)                                                                                              \
  SR_FOLD(sr_##isa##_f32_few)                                                                                          \
  SR_FOLD(sr_##isa##_f64_few)

SR_VARIANT(portable)
SR_VARIANT(avx2)
SR_VARIANT(avx512)
extern const sr_kernel sr_avx512bf16_bf16_kernel;

#endif
