/* From a text of any length to tokens. */
#ifndef SR_MODEL_TOKENIZER_H
#define SR_MODEL_TOKENIZER_H

#include "text.h"
#include "token.h"
#include "vocabulary.h"

typedef struct sr_tokenizer sr_tokenizer;

/* The vocabulary must stay. what names the model's file in messages. *tokenizer is NULL on failure. Errors:
 * SR_ERR_INPUT, SR_ERR_RESOURCE. */
sr_status sr_tokenizer_create(const char *what, const sr_vocabulary *vocabulary, sr_tokenizer **tokenizer);
void sr_tokenizer_destroy(sr_tokenizer **tokenizer);

/* Reads the document at hand to its end and hands on its tokens, each with the offset of its first byte. Memory grows
 * with the longest piece of text that cannot be cut, and not with the text. Errors: SR_ERR_INPUT, SR_ERR_RESOURCE, and
 * those of the sink. */
sr_status sr_tokenizer_read(sr_tokenizer *tokenizer, sr_text *text, const sr_token_sink *sink);

#endif
