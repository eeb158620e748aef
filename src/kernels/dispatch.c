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
  const sr_kernel *kernels;
} table[] = {
    {"portable", always, sr_portable_kernels},
#ifdef SR_BUILD_AVX2
    {"avx2", sr_cpu_has_avx2, sr_avx2_kernels},
#endif
#ifdef SR_BUILD_AVX512
    {"avx512", sr_cpu_has_avx512, sr_avx512_kernels},
#endif
};

/* The entry that SEQRING_ISA names, or the best; NULL with a message. */
static sr_status choose(const sr_kernel **kernels) {
  const char *wanted = getenv("SEQRING_ISA");
  *kernels = NULL;
  for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
    bool named = wanted && *wanted;
    if ((!named || strcmp(wanted, table[i].name) == 0) && table[i].runs_here()) *kernels = table[i].kernels;
  }
  if (*kernels) return SR_OK;
  return sr_fail(SR_ERR_ARGUMENT, "SEQRING_ISA=%s is not an instruction set of this build and processor", wanted);
}

sr_status sr_kernel_choose(sr_dtype compute, const sr_kernel **kernel) {
  const sr_kernel *kernels;
  *kernel = NULL;
  SR_TRY(choose(&kernels));
  *kernel = &kernels[compute == SR_F64];
  return SR_OK;
}

const char *sr_isa_name(void) {
  const sr_kernel *kernels;
  return choose(&kernels) == SR_OK ? kernels->isa : NULL;
}
