#include "peak.h"

#include <string.h>

#include "peak_variants.h"

static const struct {
  const char *isa;
  const sr_peak_loops *loops;
} table[] = {
    {"portable", &sr_portable_peak},
#ifdef SR_BUILD_AVX2
    {"avx2", &sr_avx2_peak},
#endif
#ifdef SR_BUILD_AVX512
    {"avx512", &sr_avx512_peak},
#endif
};

static const sr_peak_loops *find(const char *isa) {
  for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
    if (!strcmp(isa, table[i].isa)) return table[i].loops;
  return NULL;
}

double sr_peak_run(const char *isa, sr_dtype compute, int64_t loops) {
  const sr_peak_loops *found = find(isa);
  if (!found) return 0;
  return compute == SR_F64 ? found->run_f64(loops) : found->run_f32(loops);
}

uint64_t sr_peak_read(const char *isa, const void *memory, uint64_t bytes) {
  const sr_peak_loops *found = find(isa);
  if (!found) return 0;
  found->read(memory, bytes);
  return bytes;
}
