#include "peak.h"

#include <string.h>

#include "peak_variants.h"

static const struct {
  const char *isa;
  const sr_peak_loops *loops;
  double (*run_bf16)(int64_t loops); /* NULL where there is nothing faster than float32 */
} table[] = {
    {"portable", &sr_portable_peak, NULL},
#ifdef SR_BUILD_AVX2
    {"avx2", &sr_avx2_peak, NULL},
#endif
#ifdef SR_BUILD_AVX512
    {"avx512", &sr_avx512_peak, NULL},
#endif
#ifdef SR_BUILD_AVX512BF16
    {"avx512bf16", &sr_avx512_peak, sr_avx512bf16_run},
#endif
};

/* The entry of an instruction set, -1 where there is none. */
static int find(const char *isa) {
  for (int i = 0; i < (int)(sizeof table / sizeof table[0]); i++)
    if (!strcmp(isa, table[i].isa)) return i;
  return -1;
}

double sr_peak_run(const char *isa, sr_dtype compute, int64_t loops) {
  const int entry = find(isa);
  if (entry < 0) return 0;
  if (compute == SR_F64) return table[entry].loops->run_f64(loops);
  if (compute == SR_BF16 && table[entry].run_bf16) return table[entry].run_bf16(loops);
  return table[entry].loops->run_f32(loops);
}

uint64_t sr_peak_read(const char *isa, const void *memory, uint64_t bytes) {
  const int entry = find(isa);
  if (entry < 0) return 0;
  table[entry].loops->read(memory, bytes);
  return bytes;
}
