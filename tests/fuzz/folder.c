/* The JSON files of a folder, as one object by their names. */
#include "fuzz.h"
#include "model/import.h"
#include "model/tokenizer.h"

static void check(const sr_vocabulary *v) {
  sr_tokenizer *tokenizer;
  if (v->n == 0 || sr_vocabulary_check("fuzz", v) != SR_OK) return;
  sr_tokenizer_create("fuzz", v, &tokenizer);
  sr_tokenizer_destroy(&tokenizer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  sr_import import = {.source = {.path = "fuzz", .metadata = json_loadb((const char *)data, size, 0, NULL)}};
  if (json_is_object(import.source.metadata) && sr_import_folder(&import) == SR_OK) {
    if (sr_description_check("fuzz", &import.description) == SR_OK)
      sr_description_weights(&import.description, &import.weight, &import.n_weights);
    check(&import.vocabulary);
    check(&import.source_vocabulary);
  }
  sr_import_close(&import);
  return 0;
}
