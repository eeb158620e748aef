#include "blas.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "cpu.h"
#include "error.h"

/* By which a user chooses kernels; OpenBLAS reads it when it is loaded. */
static const char choice[] = "OPENBLAS_CORETYPE";

static sr_status find(void *library, const char *file, const sr_symbol *symbol) {
  void *function = dlsym(library, symbol->name);
  if (!function) return sr_fail(SR_ERR_RESOURCE, "%s is no OpenBLAS: it has no %s", file, symbol->name);
  memcpy(symbol->address, &function, sizeof function);
  return SR_OK;
}

static sr_status load(const char *file, void **library) {
  *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  return *library ? SR_OK : sr_fail(SR_ERR_RESOURCE, "cannot load OpenBLAS: %s", dlerror());
}

/* Processors that are newer than OpenBLAS itself get its kernels for the Pentium 4, "Prescott", at a fifth of the speed
 * of those for the instruction sets that they have. */
static sr_status suit_processor(const char *file, void **library) {
  char *(*core)(void) = NULL;
  if (getenv(choice) || !sr_cpu_has_avx2()) return SR_OK;
  SR_TRY(find(*library, file, &(sr_symbol){"openblas_get_corename", &core}));
  if (strcmp(core(), "Prescott")) return SR_OK;
  dlclose(*library);
  if (setenv(choice, sr_cpu_has_avx512() ? "SkylakeX" : "Haswell", 1))
    return sr_fail(SR_ERR_RESOURCE, "no memory to set %s", choice);
  const sr_status status = load(file, library);
  unsetenv(choice);
  return status;
}

sr_status sr_blas_load(const char *file, const sr_symbol *symbol, int n) {
  void *library;
  SR_TRY(load(file, &library));
  SR_TRY(suit_processor(file, &library));
  for (int i = 0; i < n; i++) SR_TRY(find(library, file, &symbol[i]));
  return SR_OK;
}
