/* BERT's tokens: a text is normalised character by character and cut into words, these into the longest pieces that are
 * tokens. Nothing but a word is kept, whatever the text's length. */
#ifndef SR_MODEL_WORDPIECE_H
#define SR_MODEL_WORDPIECE_H

#include "lexicon.h"
#include "token.h"

typedef struct sr_wordpiece sr_wordpiece;

/* The vocabulary and the lexicon must stay. *wordpiece is NULL on failure. Errors: SR_ERR_INPUT (there is no token for
 * what is unknown), SR_ERR_RESOURCE. */
sr_status sr_wordpiece_create(const char *what, const sr_vocabulary *vocabulary, const sr_lexicon *lexicon,
                              sr_wordpiece **wordpiece);
void sr_wordpiece_destroy(sr_wordpiece **wordpiece);

/* The next character of the text, at that offset; -1 for bytes that are no UTF-8. Errors: those of the sink. */
sr_status sr_wordpiece_take(sr_wordpiece *wordpiece, int32_t character, int64_t offset, const sr_token_sink *sink);

/* The text ends: the last word does. */
sr_status sr_wordpiece_end(sr_wordpiece *wordpiece, const sr_token_sink *sink);

#endif
