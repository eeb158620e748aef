/* A safetensors file: its head, and some elements of each tensor. */
#include "fuzz.h"
#include "model/source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static float to[1 << 16];
  sr_source source;
  if (size == 0) return 0;
  FILE *file = fmemopen((void *)data, size, "rb");
  if (!file) return 0;
  if (sr_source_read_safetensors("fuzz", file, size, &source) == SR_OK)
    for (int64_t i = 0; i < source.n_tensors; i++)
      if (source.tensor[i].dims[source.tensor[i].rank - 1] <= (int64_t)(sizeof to / sizeof *to))
        sr_source_rows(&source, &source.tensor[i], 0, 1, to);
  sr_source_free(&source);
  return 0;
}
