#include "library.h"

#include <dlfcn.h>
#include <string.h>

#include "error.h"

sr_status sr_library_load(const char *file, const char *name, const sr_symbol *symbol, int n) {
  void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (!library) return sr_fail(SR_ERR_RESOURCE, "cannot load %s: %s", name, dlerror());
  for (int i = 0; i < n; i++) {
    void *function = dlsym(library, symbol[i].name);
    if (!function) return sr_fail(SR_ERR_RESOURCE, "%s is no %s: it has no %s", file, name, symbol[i].name);
    memcpy(symbol[i].address, &function, sizeof function);
  }
  return SR_OK;
}
