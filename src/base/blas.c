#include "blas.h"

#include <dlfcn.h>

#include "error.h"

static sr_blas loaded;

sr_status sr_blas_load(const sr_blas **blas) {
  *blas = &loaded;
  if (loaded.sgemm) return SR_OK;
  void *library = dlopen(SR_OPENBLAS, RTLD_NOW | RTLD_LOCAL);
  if (!library) return sr_fail(SR_ERR_RESOURCE, "cannot load OpenBLAS: %s", dlerror());
  sr_blas found = {
      .sgemm = (__typeof__(found.sgemm))dlsym(library, "cblas_sgemm"),
      .dgemm = (__typeof__(found.dgemm))dlsym(library, "cblas_dgemm"),
      .set_num_threads = (__typeof__(found.set_num_threads))dlsym(library, "openblas_set_num_threads"),
      .get_config = (__typeof__(found.get_config))dlsym(library, "openblas_get_config"),
      .get_corename = (__typeof__(found.get_corename))dlsym(library, "openblas_get_corename"),
  };
  if (!found.sgemm || !found.dgemm || !found.set_num_threads || !found.get_config || !found.get_corename)
    return sr_fail(SR_ERR_RESOURCE, "%s is no OpenBLAS: functions are missing", SR_OPENBLAS);
  loaded = found;
  return SR_OK;
}
