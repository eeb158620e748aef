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
  const sr_kernel *f32, *f64, *bf16;
} table[] = {
    {"portable", always, &sr_portable_f32_kernel, &sr_portable_f64_kernel, &sr_portable_bf16_kernel},
#ifdef SR_BUILD_AVX2
    {"avx2", sr_cpu_has_avx2, &sr_avx2_f32_kernel, &sr_avx2_f64_kernel, &sr_avx2_bf16_kernel},
#endif
#ifdef SR_BUILD_AVX512
    {"avx512", sr_cpu_has_avx512, &sr_avx512_f32_kernel, &sr_avx512_f64_kernel, &sr_avx512_bf16_kernel},
#endif
#ifdef SR_BUILD_AVX512BF16
    {"avx512bf16", sr_cpu_has_avx512bf16, &sr_avx512_f32_kernel, &sr_avx512_f64_kernel, &sr_avx512bf16_bf16_kernel},
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

sr_status sr_kernel_choose(sr_dtype compute, const sr_kernel **kernel) {
  int entry;
  *kernel = NULL;
  SR_TRY(choose(&entry));
  *kernel = compute == SR_F64 ? table[entry].f64 : compute == SR_BF16 ? table[entry].bf16 : table[entry].f32;
  return SR_OK;
}

const char *sr_isa_name(void) {
  int entry;
  return choose(&entry) == SR_OK ? table[entry].name : NULL;
}
