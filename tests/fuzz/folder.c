/* The JSON files of a folder, as one object by their names. */
#include "fuzz.h"
#include "model/import.h"
#include "model/tokenizer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  sr_tokenizer *tokenizer;
  sr_import import = {.source = {.path = "fuzz", .metadata = json_loadb((const char *)data, size, 0, NULL)}};
  if (json_is_object(import.source.metadata) && sr_import_folder(&import) == SR_OK &&
      sr_vocabulary_check("fuzz", &import.vocabulary) == SR_OK) {
    sr_description_check("fuzz", &import.description);
    sr_tokenizer_create("fuzz", &import.vocabulary, &tokenizer);
    sr_tokenizer_destroy(&tokenizer);
  }
  sr_import_close(&import);
  return 0;
}
