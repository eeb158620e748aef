/* A GGUF file: its heads, some elements of each tensor, and what they say of a model. */
#include "fuzz.h"
#include "model/import.h"
#include "model/tokenizer.h"

static void read_rows(const sr_source *source) {
  static float to[1 << 16];
  for (int64_t i = 0; i < source->n_tensors; i++)
    if (source->tensor[i].dims[source->tensor[i].rank - 1] <= (int64_t)(sizeof to / sizeof *to))
      sr_source_rows(source, &source->tensor[i], 0, 1, to);
}

static void import_all(sr_import *import) {
  sr_tokenizer *tokenizer;
  if (sr_import_gguf(import) || sr_vocabulary_check("fuzz", &import->vocabulary)) return;
  sr_description_check("fuzz", &import->description);
  sr_tokenizer_create("fuzz", &import->vocabulary, &tokenizer);
  sr_tokenizer_destroy(&tokenizer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  sr_import import = {0};
  FILE *file = fmemopen((void *)data, size, "rb");
  if (!file) return 0;
  if (sr_source_read_gguf("fuzz", file, size, &import.source) == SR_OK) {
    read_rows(&import.source);
    import_all(&import);
  }
  sr_import_close(&import);
  return 0;
}
