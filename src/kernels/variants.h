/* The kernels of every instruction set that this build may have, and the functions that they share. */
#ifndef SR_KERNELS_VARIANTS_H
#define SR_KERNELS_VARIANTS_H

#include "kernel.h"

#define SR_VARIANT(isa)                                                                                                \
  extern const sr_kernel sr_##isa##_f32_kernel, sr_##isa##_f64_kernel, sr_##isa##_bf16_kernel;                         \
  void sr_##isa##_f32_fold(const sr_partial *partial, int32_t value_dim, const sr_accumulator *to);                    \
  void sr_##isa##_f64_fold(const sr_partial *partial, int32_t value_dim, const sr_accumulator *to);                    \
  void sr_##isa##_f32_divide(const sr_accumulator *acc, int32_t value_dim);                                            \
  void sr_##isa##_f64_divide(const sr_accumulator *acc, int32_t value_dim);

SR_VARIANT(portable)
SR_VARIANT(avx2)
SR_VARIANT(avx512)
extern const sr_kernel sr_avx512bf16_bf16_kernel;

#endif
