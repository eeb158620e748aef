/* Tokens by their bytes. */
#ifndef SR_MODEL_LEXICON_H
#define SR_MODEL_LEXICON_H

#include "vocabulary.h"

typedef struct sr_lexicon sr_lexicon;

/* Of the vocabulary's normal tokens, which must stay. *lexicon is NULL on failure. Errors: SR_ERR_RESOURCE. */
sr_status sr_lexicon_create(const sr_vocabulary *vocabulary, sr_lexicon **lexicon);
void sr_lexicon_destroy(sr_lexicon **lexicon);

/* The token; -1 when there is none. */
int32_t sr_lexicon_find(const sr_lexicon *lexicon, const uint8_t *bytes, size_t n);

#endif
