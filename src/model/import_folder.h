/* What readers of a folder of Hugging Face's share. Its files are the source's metadata, by their names. */
#ifndef SR_MODEL_IMPORT_FOLDER_H
#define SR_MODEL_IMPORT_FOLDER_H

#include "import.h"

/* What a file has under a key, or NULL. */
const json_t *sr_folder_get(const sr_import *import, const char *file, const char *key);

/* That it is missing, or not possible. */
sr_status sr_folder_no_key(const sr_import *import, const char *file, const char *key);

/* An integer of config.json, from 1 to 2^40; the second reads one that may be missing. Errors: SR_ERR_INPUT. */
sr_status sr_folder_integer(const sr_import *import, const char *key, int64_t *value);
sr_status sr_folder_optional(const sr_import *import, const char *key, int64_t standard, int64_t *value);

/* A number above 0 of config.json, and what its hidden_act names. Errors: SR_ERR_INPUT. */
sr_status sr_folder_real(const sr_import *import, const char *key, double *value);
sr_status sr_folder_activation(const sr_import *import, sr_activation *activation);

/* Whether an object says that it is of a type. */
bool sr_folder_is_of_type(const json_t *json, const char *type);

/* Fill in the description and naming: of an encoder like BERT, and of a decoder like Llama of a model_type, or
 * SR_ERR_INPUT where that is none. */
sr_status sr_folder_bert(sr_import *import);
sr_status sr_folder_llama(sr_import *import, const char *type);

/* Fill in the vocabulary: word pieces from tokenizer.json or vocab.txt, and byte pairs from tokenizer.json. Errors:
 * SR_ERR_INPUT, SR_ERR_RESOURCE. */
sr_status sr_folder_wordpiece(sr_import *import);
sr_status sr_folder_byte_pairs(sr_import *import);

#endif
