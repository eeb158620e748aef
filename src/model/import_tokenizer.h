/* What is common to tokenizer.json's tokenizers. */
#ifndef SR_MODEL_IMPORT_TOKENIZER_H
#define SR_MODEL_IMPORT_TOKENIZER_H

#include "import_folder.h"

/* That tokenizer.json is not what is read. */
sr_status sr_folder_no_tokenizer(const sr_import *import, const char *why);

/* Tokens of a model's table {text: id} and of those that are added to it, whose ids are 0, 1, 2, ... */
typedef struct sr_token_table {
  int64_t n;
  const char **text; /* [n] by id, the JSON's */
  uint8_t *kind;     /* [n] an sr_token_kind each: those that are added are control tokens */
} sr_token_table;

/* Reads them. n_least: ids up to it that no token has are those of control tokens without a text. To be freed in any
 * case. Errors: SR_ERR_INPUT, SR_ERR_RESOURCE. */
sr_status sr_token_table_read(const sr_import *import, const json_t *tokenizer, int64_t n_least, sr_token_table *table);
void sr_token_table_free(sr_token_table *table);

/* Adds them to the vocabulary; in_alphabet is that of sr_vocabulary_add. Errors: SR_ERR_INPUT, SR_ERR_RESOURCE. */
sr_status sr_token_table_add(sr_import *import, const sr_token_table *table, bool in_alphabet);

/* The id of a token, or -1. */
int64_t sr_tokenizer_id(const json_t *tokenizer, const char *text);

/* What stands at the ends of a text, by a TemplateProcessing; nothing is known of it before, first and last are -1.
 * Errors: SR_ERR_INPUT. */
sr_status sr_tokenizer_ends(sr_import *import, const json_t *tokenizer, const json_t *processor);

#endif
