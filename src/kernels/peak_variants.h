/* The loops of peak.h of every instruction set that this build may have. */
#ifndef SR_KERNELS_PEAK_VARIANTS_H
#define SR_KERNELS_PEAK_VARIANTS_H

#include <stdint.h>

typedef struct sr_peak_loops {
  double (*run_f32)(int64_t loops); /* returns the operations done */
  double (*run_f64)(int64_t loops);
  void (*read)(const void *memory, uint64_t bytes);
} sr_peak_loops;

extern const sr_peak_loops sr_portable_peak, sr_avx2_peak, sr_avx512_peak;
double sr_avx512bf16_run(int64_t loops); /* products of bfloat16 pairs */

#endif
