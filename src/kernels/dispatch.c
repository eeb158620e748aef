#include <seqring/version.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/error.h"
#include "variants.h"

static bool always(void) {
  return true;
}

/* Worst first: the last one that runs here is the default. */
static const struct {
  const char *name;
  bool (*runs_here)(void);
  const sr_kernel *kernel[2][3]; /* of tiles, of a few queries; in float32, float64, bfloat16 */
} table[] = {
#define KERNELS(isa, tile_bf16)                                                                                        \
  {                                                                                                                    \
    {&sr_##isa##_f32_kernel, &sr_##isa##_f64_kernel, &tile_bf16}, {                                                    \
      &sr_##isa##_f32_few, &sr_##isa##_f64_few, &sr_##isa##_bf16_few                                                   \
    }                                                                                                                  \
  }
    {"portable", always, KERNELS(portable, sr_portable_bf16_kernel)},
#ifdef SR_BUILD_AVX2
    {"avx2", sr_cpu_has_avx2, KERNELS(avx2, sr_avx2_bf16_kernel)},
#endif
#ifdef SR_BUILD_AVX512
    {"avx512", sr_cpu_has_avx512, KERNELS(avx512, sr_avx512_bf16_kernel)},
#endif
#ifdef SR_BUILD_AVX512BF16
    {"avx512bf16", sr_cpu_has_avx512bf16, KERNELS(avx512, sr_avx512bf16_bf16_kernel)},
#endif
};

/* The entry that SEQRING_ISA names, or the best; -1 with a message. */
static sr_status choose(int *entry) {
  const char *wanted = getenv("SEQRING_ISA");
  *entry = -1;
  for (int i = 0; i < (int)(sizeof table / sizeof table[0]); i++) {
    bool named = wanted && *wanted;
    if ((!named || strcmp(wanted, table[i].name) == 0) && table[i].runs_here()) *entry = i;
  }
  if (*entry >= 0) return SR_OK;
  return sr_fail(SR_ERR_ARGUMENT, "SEQRING_ISA=%s is not an instruction set of this build and processor", wanted);
}

sr_status sr_kernel_choose(sr_dtype compute, bool few, const sr_kernel **kernel) {
  int entry;
  *kernel = NULL;
  SR_TRY(choose(&entry));
  *kernel = table[entry].kernel[few][compute == SR_F64 ? 1 : compute == SR_BF16 ? 2 : 0];
  return SR_OK;
}

const char *sr_isa_name(void) {
  int entry;
  return choose(&entry) == SR_OK ? table[entry].name : NULL;
}
