/* Byte pair encoding of a piece of text. */
#ifndef SR_MODEL_BPE_H
#define SR_MODEL_BPE_H

#include "lexicon.h"
#include "token.h"

typedef struct sr_bpe sr_bpe;

/* The vocabulary and the lexicon must stay. *bpe is NULL on failure. Errors: SR_ERR_INPUT (a byte, or what a merge
 * makes, is no token), SR_ERR_RESOURCE. */
sr_status sr_bpe_create(const char *what, const sr_vocabulary *vocabulary, const sr_lexicon *lexicon, sr_bpe **bpe);
void sr_bpe_destroy(sr_bpe **bpe);

/* The tokens of a piece, which begins at that offset of the text. Time grows as n log n. Errors: SR_ERR_RESOURCE, and
 * those of the sink. */
sr_status sr_bpe_piece(sr_bpe *bpe, const uint8_t *bytes, size_t n, int64_t offset, const sr_token_sink *sink);

#endif
