/* Folders of Hugging Face's: an encoder like BERT, a decoder like Llama, or what seqring describes itself. */
#include "import_folder.h"

#include <string.h>

#include "base/error.h"

const json_t *sr_folder_get(const sr_import *import, const char *file, const char *key) {
  return json_object_get(json_object_get(import->source.metadata, file), key);
}

sr_status sr_folder_no_key(const sr_import *import, const char *file, const char *key) {
  return sr_fail(SR_ERR_INPUT, "%s: in %s beside it '%s' is missing, or not possible", import->source.path, file, key);
}

/* Sizes below it can be worked with before it is known what each may be. */
#define LARGEST ((json_int_t)1 << 40)

sr_status sr_folder_integer(const sr_import *import, const char *key, int64_t *value) {
  const json_t *json = sr_folder_get(import, "config.json", key);
  if (!json_is_integer(json) || json_integer_value(json) < 1 || json_integer_value(json) > LARGEST)
    return sr_folder_no_key(import, "config.json", key);
  *value = json_integer_value(json);
  return SR_OK;
}

sr_status sr_folder_optional(const sr_import *import, const char *key, int64_t standard, int64_t *value) {
  const json_t *json = sr_folder_get(import, "config.json", key);
  *value = standard;
  return !json || json_is_null(json) ? SR_OK : sr_folder_integer(import, key, value);
}

sr_status sr_folder_real(const sr_import *import, const char *key, double *value) {
  const json_t *json = sr_folder_get(import, "config.json", key);
  *value = json_number_value(json);
  return *value > 0 ? SR_OK : sr_folder_no_key(import, "config.json", key);
}

sr_status sr_folder_activation(const sr_import *import, sr_activation *activation) {
  static const struct {
    const char *name;
    sr_activation activation;
  } known[] = {{"relu", SR_ACTIVATION_RELU},
               {"gelu", SR_ACTIVATION_GELU},
               {"gelu_new", SR_ACTIVATION_GELU_TANH},
               {"gelu_pytorch_tanh", SR_ACTIVATION_GELU_TANH},
               {"silu", SR_ACTIVATION_SILU}};
  const char *name = json_string_value(sr_folder_get(import, "config.json", "hidden_act"));
  for (size_t i = 0; name && i < sizeof known / sizeof *known; i++)
    if (!strcmp(known[i].name, name)) {
      *activation = known[i].activation;
      return SR_OK;
    }
  return sr_folder_no_key(import, "config.json", "hidden_act");
}

bool sr_folder_is_of_type(const json_t *json, const char *type) {
  const char *found = json_string_value(json_object_get(json, "type"));
  return found && !strcmp(found, type);
}

sr_status sr_import_folder(sr_import *import) {
  const char *type = json_string_value(sr_folder_get(import, "config.json", "model_type"));
  if (type && !strcmp(type, "seqring")) return sr_import_own(import);
  if (!type || strcmp(type, "bert")) {
    SR_TRY(sr_folder_llama(import, type ? type : "unknown"));
    return sr_folder_byte_pairs(import);
  }
  SR_TRY(sr_folder_wordpiece(import));
  return sr_folder_bert(import);
}
